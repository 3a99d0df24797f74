// The menu beside Send: send and resolve, or send later, at one of the usual times or at any other.
import { fieldValue, fromField, presets } from "./clock.js";
import { Menu } from "./menu.js";

export class SendMenu {
  #times = {};

  constructor(details, { clock, send }) {
    this.details = details;
    this.clock = clock;
    this.send = send;
    this.menu = new Menu(details);
    this.later = details.querySelector("details");
    this.form = document.getElementById("later");
    this.field = document.getElementById("due");
    this.error = document.getElementById("due-error");
    details.addEventListener("toggle", () => this.#onToggle());
    this.later.addEventListener("toggle", () => this.later.open && this.#show());
    details.addEventListener("click", ({ target }) => this.#choose(target.closest("[data-preset], [data-resolves]")));
    this.field.addEventListener("input", () => this.#complain(""));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#schedule();
    });
  }

  #onToggle() {
    if (this.details.open) this.#show();
    else this.later.open = false;
  }

  // Each time it opens, since the page may have been open for hours.
  #show() {
    const now = this.clock.now();
    this.#times = presets(now);
    for (const button of this.details.querySelectorAll("[data-preset]")) {
      const { preset, at } = button.dataset;
      if (at && fromField(at) > now) this.#times[preset] = fromField(at);
      const wall = this.#times[preset];
      button.hidden = !wall;
      if (wall) button.querySelector("time").textContent = this.clock.time(wall);
    }
    this.field.min = fieldValue(new Date(now.getTime() + 60_000));
    this.#complain("");
  }

  #choose(button) {
    if (button?.dataset.preset) this.#send({ dueAt: fieldValue(this.#times[button.dataset.preset]) });
    else if (button) this.#send({ resolves: true });
  }

  #schedule() {
    const { value, dataset } = this.field;
    if (!value) this.#complain(dataset.missing);
    else if (fromField(value) <= this.clock.now()) this.#complain(dataset.past);
    else this.#send({ dueAt: value });
  }

  #send(way) {
    this.menu.close();
    this.field.value = "";
    this.send(way);
  }

  #complain(words) {
    this.error.textContent = words;
    this.error.hidden = !words;
    this.field.ariaInvalid = String(Boolean(words));
    if (words) this.field.focus();
  }
}
