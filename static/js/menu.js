// A menu is a native <details>: it opens without a script. Here: arrow keys, Escape, and closing when one goes elsewhere.
const FETCHED = "[hx-trigger=opened]";
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class Menu {
  constructor(details) {
    this.details = details;
    this.summary = details.querySelector("summary");
    details.addEventListener("keydown", (event) => this.#onKey(event));
    details.addEventListener("toggle", () => details.open && this.#fetch());
    details.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !details.contains(relatedTarget)) this.close();
    });
    document.addEventListener("pointerdown", ({ target }) => !details.contains(target) && this.close());
  }

  close() {
    this.details.open = false;
  }

  // What is long is fetched when somebody looks.
  #fetch() {
    for (const part of this.details.querySelectorAll(FETCHED)) window.htmx.trigger(part, "opened");
  }

  #onKey(event) {
    if (event.key === "Escape" && this.details.open) {
      event.stopPropagation(); // one Escape closes one thing
      this.close();
      this.summary.focus();
    } else if (event.key in STEPS && event.target.tagName !== "INPUT") {
      event.preventDefault();
      this.#move(STEPS[event.key]);
    }
  }

  #move(step) {
    this.details.open = true;
    const items = [...this.details.querySelectorAll("summary, a, button")].filter(
      (item) => item !== this.summary && item.checkVisibility(),
    );
    const place = items.indexOf(document.activeElement);
    const next = place < 0 && step < 0 ? items.length - 1 : place + step;
    items.at(next % items.length)?.focus();
  }
}
