// The keyboard. Which keys there are and what they run stands in templates/inbox/_commands.html, once.
import { CommandSheet } from "./commands.js";
import { Menu } from "./menu.js";

const FOLLOWS_WITHIN_MS = 1000;
const FIELDS = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]";
const STEPS = { next: 1, previous: -1 };
const MODES = { help: "sheet", menu: "menu" };

export class Keys {
  #begun = "";
  #timer = 0;

  /** `move(step)` opens the next (+1) or the previous (-1) conversation; `select()` the current one, for several at once. */
  constructor({ move, select }) {
    Object.assign(this, { move, select });
    this.sheet = new CommandSheet(document.getElementById("commands"), {
      may: (command) => this.may(command),
      run: (command) => this.run(command),
    });
    this.byKeys = new Map(
      this.sheet.commands.flatMap((command) => command.dataset.keys?.split(",").map((keys) => [keys, command]) ?? []),
    );
    new Menu(document.getElementById("me"));
    document.addEventListener("keydown", (event) => this.#onKey(event));
    document.addEventListener("click", ({ target }) => {
      const asked = target.closest("[data-command=help], [data-command=menu]");
      if (asked) this.sheet.open(MODES[asked.dataset.command]);
    });
  }

  may({ dataset: { run, focus } }) {
    if (run in STEPS) return document.querySelector(".q-row, .card-row") !== null;
    if (run === "select") return Boolean(this.select) && document.querySelector(".q-pick") !== null;
    return run in MODES || Boolean(clickable(run) ?? focusable(focus));
  }

  run({ dataset: { run, focus } }) {
    if (run in STEPS) this.move(STEPS[run]);
    else if (run === "select") this.select();
    else if (run in MODES) this.sheet.open(MODES[run]);
    else if (clickable(run)) press(clickable(run));
    else focusable(focus)?.focus();
  }

  #onKey(event) {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const keys = this.#keysOf(event);
    const command = this.byKeys.get(keys);
    if (!command) {
      if (this.#areSingleKeysOn(event) && this.#begins(keys)) this.#awaitNext(keys);
      return;
    }
    if (!("always" in command.dataset) && !this.#areSingleKeysOn(event)) return;
    if (event.key === "Enter" && actsItself(event.target)) return;
    if (event.repeat && !("repeats" in command.dataset)) return;
    if (!this.may(command)) return;
    event.preventDefault();
    this.run(command);
  }

  #keysOf(event) {
    const isLetter = event.key.length === 1 && !event.shiftKey;
    const key = isLetter ? event.key.toLowerCase() : event.key; // caps lock is no other key
    const begun = this.#begun;
    this.#begun = "";
    clearTimeout(this.#timer);
    if (event.ctrlKey || event.metaKey) return `Ctrl+${key}`;
    return begun ? `${begun} ${key}` : key;
  }

  #begins(keys) {
    return [...this.byKeys.keys()].some((known) => known.startsWith(`${keys} `));
  }

  #awaitNext(keys) {
    this.#begun = keys;
    this.#timer = setTimeout(() => (this.#begun = ""), FOLLOWS_WITHIN_MS);
  }

  #areSingleKeysOn({ target }) {
    return (
      document.body.dataset.singleKeys !== "false" && !target.closest(FIELDS) && !document.querySelector("dialog[open]")
    );
  }
}

function clickable(name) {
  return [...document.querySelectorAll(`[data-command="${name}"]`)].find(isUsable);
}

function press(element) {
  if (element.matches("summary")) element.focus(); // so that the arrows lead into its menu
  element.click();
}

function focusable(selector) {
  const element = selector && document.querySelector(selector);
  return element && isUsable(element) ? element : undefined;
}

// What a closed menu holds can be used as well, where its button can be seen.
function isUsable(element) {
  const menu = element.closest("details:not([open]) > .menu")?.parentElement;
  return (menu?.firstElementChild ?? element).checkVisibility() && !element.disabled;
}

// Enter on these means them; on the open row it would only open what is open.
const actsItself = (target) => target.closest("a, button, summary") && !target.closest(".q-row[aria-current]");
