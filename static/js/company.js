// Who else has this conversation open, and who is writing in it. Everything goes by itself when nothing more is heard.
const SAY_MS = 2_500;
const SHOWN = 3;
const BOXES = { body: "writing", "note-body": "noting" };

export class Company {
  #people = [];
  #timer = 0;
  #said = "";
  #saidAt = -Infinity;

  /** `say(doing)` tells the others. */
  constructor(element, { say }) {
    Object.assign(this, { element, say });
    document.addEventListener("input", ({ target }) => BOXES[target.id] && this.#write(target));
  }

  /** `people`: each with `name`, `initials`, `doing`, for how many `seconds`, and how many they are `here` at all. */
  show(people) {
    const now = performance.now();
    this.#people = people.map((one) => ({ ...one, until: now + one.seconds * 1000, hereUntil: now + one.here * 1000 }));
    this.#draw();
  }

  // What is sent or emptied is written no more; an empty box never was.
  #write(box) {
    const doing = box.value.trim() ? BOXES[box.id] : "viewing";
    const now = performance.now();
    if (doing === this.#said && (doing === "viewing" || now - this.#saidAt < SAY_MS)) return;
    this.#said = doing;
    this.#saidAt = now;
    this.say(doing);
  }

  /** The reply or the note has gone. */
  done() {
    if (this.#said && this.#said !== "viewing") this.say((this.#said = "viewing"));
  }

  #draw() {
    const now = performance.now();
    this.#people = this.#people.filter((one) => one.hereUntil > now);
    for (const one of this.#people) if (one.until <= now) Object.assign(one, { doing: "viewing", until: one.hereUntil });
    const words = this.#people.slice(0, SHOWN).map((one) => [one, this.element.dataset[one.doing].replace("{name}", one.name)]);
    const text = words.map(([, sentence]) => sentence).join("\n");
    if (this.element.dataset.shown !== text) {
      this.element.dataset.shown = text;
      this.element.replaceChildren(...words.map(([one, sentence]) => line(one, sentence)));
      this.element.toggleAttribute("data-writing-now", words.some(([one]) => one.doing === "writing"));
    }
    clearTimeout(this.#timer);
    const next = Math.min(...this.#people.map((one) => one.until));
    if (this.#people.length) this.#timer = setTimeout(() => this.#draw(), next - now + 50);
  }
}

function line({ initials }, sentence) {
  const row = document.createElement("span");
  const face = document.createElement("span");
  row.className = "company-one";
  face.className = "av";
  face.ariaHidden = "true";
  face.textContent = initials;
  row.append(face, sentence);
  return row;
}
