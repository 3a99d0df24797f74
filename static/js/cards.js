// Who waits, as cards: gone through by keys, dragged onto a colleague or a team. What stands under a hand does not move.
import { newRef, post } from "./sending.js";
import { toast, wayBack } from "./toast.js";

export class Cards {
  #dragged = null;
  #isPressed = false;
  #place = -1;

  /** `changed()` fetches the board again. */
  constructor(element, { words, changed }) {
    Object.assign(this, { element, words, changed });
    element.addEventListener("focusin", () => this.#dress());
    addEventListener("pointerdown", ({ target }) => (this.#isPressed = Boolean(target.closest?.(".card-row"))));
    for (const event of ["pointerup", "pointercancel", "blur"]) addEventListener(event, () => this.#letGo());
    document.documentElement.addEventListener("pointerleave", () => this.#letGo()); // a hand that lets go elsewhere
    element.addEventListener("dragstart", (event) => this.#begin(event));
    element.addEventListener("dragover", (event) => this.#over(event));
    element.addEventListener("drop", (event) => this.#drop(event));
    element.addEventListener("dragend", () => this.#end());
  }

  /** Whether a card is held: then the board waits. */
  get isInHand() {
    return this.#isPressed || this.#dragged !== null;
  }

  /** Goes to the next (+1) or the previous (-1) card; to the first from elsewhere. */
  move(step) {
    const cards = this.#all();
    const place = cards.indexOf(this.#current());
    const next = cards[place < 0 ? 0 : place + step];
    next?.querySelector("a").focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  /** Before the cards change. */
  remember() {
    this.#place = this.#all().indexOf(this.#current());
  }

  /** After they changed: who was at a card that is gone is at the one that took its place. */
  restore() {
    if (this.#place >= 0 && !this.#current() && document.activeElement === document.body) {
      const cards = this.#all();
      cards[Math.min(this.#place, cards.length - 1)]?.querySelector("a").focus({ preventScroll: true });
    }
    this.#dress();
  }

  #all() {
    return [...this.element.querySelectorAll(".card-row")];
  }

  #current() {
    return document.activeElement?.closest(".card-row") ?? null;
  }

  // The keys of a deed mean the card that has the focus.
  #dress() {
    for (const button of this.element.querySelectorAll("[data-command]")) button.removeAttribute("data-command");
    for (const button of this.#current()?.querySelectorAll("[data-does]") ?? []) {
      button.dataset.command = button.dataset.does;
    }
  }

  #letGo() {
    if (!this.#isPressed) return;
    this.#isPressed = false;
    if (!this.#dragged) this.changed();
  }

  #begin(event) {
    const card = event.target.closest?.(".card-row");
    if (!card) return;
    this.#dragged = card;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.querySelector("b").textContent);
    card.toggleAttribute("data-dragged", true);
    this.element.toggleAttribute("data-dragging", true);
  }

  #over(event) {
    const target = this.#targetOf(event);
    for (const other of this.element.querySelectorAll("[data-over]")) if (other !== target) other.removeAttribute("data-over");
    if (!target) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
    target.toggleAttribute("data-over", true);
  }

  async #drop(event) {
    const target = this.#targetOf(event);
    if (!target) return;
    event.preventDefault();
    const { move, owner, team } = this.#dragged.dataset;
    this.#end();
    const fields = { to: target.dataset.drop, was: owner, was_team: team, note: "", ref: newRef() };
    const { deeds, problem } = await post(move, fields, this.words);
    if (problem) toast(problem.words);
    else toast(this.words.moved, wayBack(deeds));
    this.changed();
  }

  // Not where it is already.
  #targetOf(event) {
    const target = this.#dragged && event.target.closest?.("[data-drop]");
    if (!target) return null;
    const { owner, team } = this.#dragged.dataset;
    const here = owner ? `user:${owner}` : `team:${team}`;
    return target.dataset.drop === here ? null : target;
  }

  #end() {
    this.#dragged?.removeAttribute("data-dragged");
    for (const other of this.element.querySelectorAll("[data-over]")) other.removeAttribute("data-over");
    this.element.removeAttribute("data-dragging");
    this.#dragged = null;
    this.#isPressed = false;
    this.changed();
  }
}
