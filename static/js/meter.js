// What a text costs on the air, beside it: a bar, numbers, and what makes it dearer than it looks.
import { culprits, toGsm } from "./quotes.js";
import { count } from "./segments.js";

const QUIET_MS = 1_000;
const MOST_NAMED = 5;

export class Meter {
  #said = "1 GSM-7"; // what everybody expects need not be said
  #timer = 0;

  constructor(form, box) {
    this.words = form.dataset;
    this.box = box;
    this.count = document.getElementById("count");
    this.bar = this.count.querySelector("rect");
    this.numbers = this.count.lastElementChild;
    this.announcer = document.getElementById("count-said");
    this.notice = document.getElementById("unicode");
    this.replace = this.notice.querySelector("button");
    this.replace.addEventListener("click", () => this.#replace());
    this.show();
  }

  show() {
    const text = this.box.value;
    const { encoding, units, segments, room } = count(text);
    const isTooLong = segments > Number(this.words.most);
    const cost = `${segments} ${segments === 1 ? this.words.segment : this.words.segments}`;
    const limit = isTooLong ? ` (${this.words.atMost})` : "";
    this.count.hidden = !text;
    this.count.classList.toggle("bad", isTooLong);
    this.bar.setAttribute("width", String((100 * units) / (units + room)));
    const [used, rest, kind] = this.numbers.children;
    used.textContent = units;
    rest.textContent = `/${units + room} · ${cost}${limit}`;
    kind.textContent = ` · ${encoding}`;
    const reason = this.#explain(text, encoding);
    this.#announce(`${segments || 1} ${encoding}`, text && [`${cost}${limit} · ${encoding}`, reason].join(". "));
  }

  // Returns the line it shows, if any.
  #explain(text, encoding) {
    this.notice.hidden = encoding === "GSM-7";
    if (this.notice.hidden) return "";
    const { replaceable, others } = culprits(text);
    const line = this.words[others.length ? "unicodeBy" : "unicodeFor"].replace("{characters}", () =>
      this.#named([...others, ...replaceable]),
    );
    if (this.notice.firstElementChild.textContent !== line) this.notice.firstElementChild.textContent = line;
    this.notice.lastElementChild.hidden = replaceable.length === 0;
    this.replace.textContent = others.length
      ? `${this.words.replace} ${this.#named(replaceable)}`
      : this.words.replace;
    return line;
  }

  #named(characters) {
    const names = [...new Set(characters.map((one) => this.#nameOf(one)))];
    return names.slice(0, MOST_NAMED).join(" ") + (names.length > MOST_NAMED ? " …" : "");
  }

  // What cannot be seen has a name.
  #nameOf(character) {
    if (character === "\t") return this.words.tab;
    if (/^[\u00a0\u202f]$/.test(character)) return this.words.fixedSpace;
    return /^[\s\p{Cc}\p{Cf}\p{Zs}]+$/u.test(character) ? this.words.unseen : character;
  }

  // One step that Ctrl+Z undoes, with the caret where it was in the words.
  #replace() {
    const { box } = this;
    const [start, end] = [box.selectionStart, box.selectionEnd].map((place) => toGsm(box.value.slice(0, place)).length);
    const plain = toGsm(box.value);
    box.focus();
    box.select();
    const isDone = plain ? document.execCommand("insertText", false, plain) : document.execCommand("delete");
    if (!isDone) {
      box.setRangeText(plain, 0, box.value.length);
      box.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }
    box.setSelectionRange(start, end);
  }

  // Not at every key: when the number of segments or the encoding has changed, and typing has paused.
  #announce(size, words) {
    clearTimeout(this.#timer);
    if (size === this.#said) return;
    this.#timer = setTimeout(() => {
      this.#said = size;
      this.announcer.textContent = words;
    }, QUIET_MS);
  }
}
