// The sheet of all commands (templates/inbox/_commands.html): looked up by `?`, searched and run by Ctrl+K.
const STEPS = { ArrowDown: 1, ArrowUp: -1 };
const SIGNS = { Enter: "↵" };

export class CommandSheet {
  /** `may(command)` says whether it can be run now; `run(command)` runs it. */
  constructor(dialog, { may, run }) {
    Object.assign(this, { dialog, may, run });
    this.commands = [...dialog.querySelectorAll("[data-run]")];
    this.field = dialog.querySelector("#commands-filter");
    this.none = dialog.querySelector(".commands-none");
    this.found = dialog.querySelector("[role=status]");
    this.commands.forEach(showKeys);
    this.field.addEventListener("input", () => this.#filter());
    dialog.addEventListener("click", ({ target }) => this.#onClick(target));
    dialog.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** As a "sheet" to read, or as a "menu" to type in. */
  open(mode) {
    this.dialog.dataset.mode = mode;
    for (const command of this.commands) command.setAttribute("aria-disabled", String(!this.may(command)));
    this.field.value = "";
    this.#filter();
    if (!this.dialog.open) this.dialog.showModal();
    (mode === "menu" ? this.field : this.dialog).focus();
  }

  #filter() {
    const words = plain(this.field.value).split(/\s+/).filter(Boolean);
    for (const command of this.commands) {
      const text = plain(command.dataset.words);
      command.parentElement.hidden = !words.every((word) => text.includes(word));
    }
    for (const group of this.dialog.querySelectorAll("section")) {
      group.hidden = words.length > 0 && !group.querySelector("li:not([hidden])");
    }
    const shown = this.#shown();
    this.none.hidden = shown.length > 0;
    this.found.textContent = words.length ? `${shown.length} ${this.dialog.dataset.wordsFound}` : "";
    this.#point(shown.find(isEnabled));
  }

  // What Enter in the field would run.
  #point(command) {
    for (const other of this.commands) other.toggleAttribute("data-first", other === command);
  }

  #onClick(target) {
    if (target === this.dialog) this.dialog.close(); // beside the sheet
    const command = target.closest("[data-run]");
    if (command) this.#pick(command);
  }

  #pick(command) {
    if (!isEnabled(command)) return;
    this.dialog.close();
    this.run(command);
  }

  #onKey(event) {
    if (event.isComposing) return;
    const isInField = event.target === this.field;
    if (event.key in STEPS) {
      event.preventDefault();
      this.#step(STEPS[event.key]);
    } else if (event.key === "Enter" && isInField) {
      event.preventDefault();
      const first = this.commands.find((command) => command.hasAttribute("data-first"));
      if (first && !event.repeat) this.#pick(first);
    } else if (!isInField && event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) {
      this.field.focus(); // and the letter goes there
    }
  }

  #step(step) {
    const stops = [this.field, ...this.#shown().filter(isEnabled)];
    const at = stops.indexOf(document.activeElement);
    const from = at === 0 && step > 0 ? Math.min(1, stops.length - 2) : at; // the first is pointed at already
    stops.at((from + step) % stops.length).focus();
    this.#point(stops[0] === document.activeElement ? stops[1] : document.activeElement);
  }

  #shown() {
    return this.commands.filter((command) => !command.parentElement.hidden);
  }
}

export const isEnabled = (command) => command.getAttribute("aria-disabled") !== "true";

const plain = (text) =>
  text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .trim();

function showKeys(command) {
  command.dataset.words = command.textContent;
  const ways = command.dataset.keys?.split(",") ?? [];
  const keys = document.createElement("span");
  keys.className = "keys-of";
  for (const [index, way] of ways.entries()) {
    if (index) keys.append(" / ");
    for (const key of way.split(/[ +]/)) {
      const sign = document.createElement("kbd");
      sign.textContent = SIGNS[key] ?? (key.length === 1 ? key.toUpperCase() : key);
      keys.append(sign);
    }
  }
  command.append(keys);
}
