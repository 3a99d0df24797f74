// Whom an @ in a note calls: a list that follows what is typed, as far as the caret.
const TYPED = /(?:^|[^\p{L}\p{N}_.+/@-])@([\p{L}\p{N}_.+-]*)$/u;
const STEPS = { ArrowDown: 1, ArrowUp: -1 };
const MOST = 6;

export class Calling {
  #people = null;
  #shown = [];
  #at = 0;
  #closedAt = "";

  constructor(box, list, { src, said, one, many }) {
    Object.assign(this, { box, list, src, said, one, many });
    for (const event of ["input", "click", "keyup"]) box.addEventListener(event, () => this.#follow());
    box.addEventListener("blur", () => this.close());
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the box keeps the focus
      const option = event.target.closest("[role=option]");
      if (option) this.#choose([...list.children].indexOf(option));
    });
  }

  get isOpen() {
    return !this.list.hidden;
  }

  /** Whether the key was meant for the list. */
  onKey(event) {
    if (!this.isOpen || event.isComposing) return false;
    if (event.key in STEPS) this.#point(this.#at + STEPS[event.key]);
    else if (event.key === "Escape") {
      this.#closedAt = this.#typed();
      this.close();
    } else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
      this.#choose(this.#at);
    } else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  close() {
    this.list.hidden = true;
    this.list.replaceChildren();
    this.box.removeAttribute("aria-activedescendant");
    this.said.textContent = "";
  }

  #typed() {
    const { selectionStart, selectionEnd, value } = this.box;
    return selectionStart === selectionEnd ? value.slice(0, selectionStart).match(TYPED)?.[1] : undefined;
  }

  async #follow() {
    const typed = this.#typed();
    if (typed === undefined) this.#closedAt = undefined;
    if (typed === undefined || typed === this.#closedAt) {
      this.close();
      return;
    }
    this.#closedAt = undefined;
    await this.#fetch();
    if (this.#typed() !== typed || document.activeElement !== this.box) return;
    this.#show(this.#matching(plain(typed)));
  }

  // Once: whoever calls one colleague calls another. A list that cannot be fetched is asked for again.
  async #fetch() {
    this.#people ??= fetch(this.src, { headers: { Accept: "application/json" } })
      .then((answer) => (answer.ok && !answer.redirected ? answer.json() : Promise.reject(new Error(answer.status))))
      .then(({ people }) => people.map((one) => ({ ...one, words: [one.username, ...one.name.split(/\s+/)].map(plain) })));
    try {
      this.known = await this.#people;
    } catch {
      this.#people = null;
      this.known = [];
    }
  }

  #matching(typed) {
    return this.known.filter(({ words }) => words.some((word) => word.startsWith(typed))).slice(0, MOST);
  }

  #show(people) {
    const before = this.#shown.map(({ username }) => username).join(" ");
    this.#shown = people;
    if (!people.length) {
      this.close();
      return;
    }
    if (this.isOpen && before === people.map(({ username }) => username).join(" ")) return;
    this.list.replaceChildren(...people.map(option));
    this.list.hidden = false;
    this.said.textContent = people.length === 1 ? this.one : this.many.replace("{n}", people.length);
    this.#point(0);
  }

  #point(place) {
    const options = [...this.list.children];
    this.#at = (place + options.length) % options.length;
    for (const [index, one] of options.entries()) one.setAttribute("aria-selected", String(index === this.#at));
    this.box.setAttribute("aria-activedescendant", options[this.#at].id);
    options[this.#at].scrollIntoView({ block: "nearest" });
  }

  // One step that Ctrl+Z undoes.
  #choose(place) {
    const person = this.#shown[place];
    const end = this.box.selectionStart;
    const words = `${person.username} `;
    this.box.setSelectionRange(end - this.#typed().length, end);
    if (!document.execCommand("insertText", false, words)) {
      this.box.setRangeText(words, this.box.selectionStart, this.box.selectionEnd, "end");
      this.box.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }
    this.close();
  }
}

function option({ username, name, role }, index) {
  const row = document.createElement("li");
  const who = document.createElement("b");
  const more = document.createElement("span");
  row.id = `callable-${index}`;
  row.setAttribute("role", "option");
  who.textContent = name;
  more.textContent = `@${username} · ${role}`;
  row.append(who, " ", more);
  return row;
}

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
