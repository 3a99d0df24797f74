// The list: which row is open, what this browser's user has begun to write, and going from one conversation to the next.
import { Anchor } from "./anchor.js";
import { showBadges } from "./badges.js";
import { drafts } from "./drafts.js";
import { Search } from "./search.js";

const SCROLL = "list-scroll";
const ARRIVES = "list-arrives";

export class ListView {
  #anchor;
  #open = null;
  #around = { next: null, previous: null };

  constructor(region, { openId, userId }) {
    this.region = region;
    this.element = region.element;
    this.openId = openId;
    this.userId = userId;
    this.#anchor = new Anchor(this.element);
    new Search(document.getElementById("search"), region);
    document.addEventListener("conversation:resolved", () => this.#leave());
    addEventListener("storage", () => this.#showDrafts());
    this.#dress();
    this.#keepScroll();
    if (sessionStorage.getItem(ARRIVES)) this.#arrive();
  }

  remember() {
    this.#anchor.remember();
  }

  restore() {
    this.#dress();
    this.#anchor.restore();
  }

  /** The row that many places further: its link, or that to the next page of the list; null at either end. */
  at(step) {
    const rows = [...this.element.querySelectorAll(".q-row")];
    const place = rows.indexOf(this.#open);
    if (place < 0) return step > 0 ? (rows[0] ?? null) : null;
    return rows[place + step] ?? (step > 0 ? this.element.querySelector("a[rel=next]") : null);
  }

  /** Opens the next (+1) or the previous (-1) conversation. */
  move(step) {
    const link = this.at(step);
    if (!link) return;
    if (link.matches(".q-row")) this.#mark(link); // at once, so that a second press goes one further
    this.#goTo(link.href);
  }

  #goTo(address) {
    sessionStorage.setItem(ARRIVES, "true");
    location.assign(address);
  }

  // The open conversation is done: on to the next one, also when its row has left the list already.
  #leave() {
    const { next, previous } = this.#around;
    this.#goTo(next ?? previous ?? document.getElementById("search").action + location.search);
  }

  // Who came by the keyboard, or by being done, goes on from the open row.
  #arrive() {
    sessionStorage.removeItem(ARRIVES);
    const focus = () => this.#open?.focus({ preventScroll: true });
    if (document.readyState === "complete") focus();
    else document.addEventListener("DOMContentLoaded", focus, { once: true }); // after the composer took it
  }

  #dress() {
    this.#mark(this.element.querySelector(`#c-${this.openId} .q-row`));
    this.#showDrafts();
    this.#tell();
  }

  #mark(row) {
    for (const other of this.element.querySelectorAll(".q-row[aria-current]")) other.removeAttribute("aria-current");
    row?.setAttribute("aria-current", "true");
    this.#open = row;
    if (row) this.#around = this.#neighbours();
  }

  // On this page of the list only: the next page would still show the one that is done.
  #neighbours() {
    const [next, previous] = [1, -1].map((step) => this.at(step));
    return { next: next?.rel === "next" ? undefined : next?.href, previous: previous?.href };
  }

  // The server's preview stays beneath, for when the draft is gone.
  #showDrafts() {
    const begun = drafts(this.userId);
    for (const row of this.element.querySelectorAll(".q-row")) {
      const text = row === this.#open ? undefined : begun.get(Number(row.closest("li").id.slice(2)));
      const preview = row.querySelector(".q-prev:not(.q-draft)");
      row.querySelector(".q-draft")?.remove();
      preview.hidden = Boolean(text) && !preview.querySelector("mark");
      if (preview.hidden) preview.after(this.#draft(text));
    }
  }

  #draft(text) {
    const line = document.createElement("span");
    const word = document.createElement("i");
    line.className = "q-prev q-draft";
    word.textContent = this.element.dataset.wordsDraft;
    line.append(word, ` ${text}`);
    return line;
  }

  // What the list says to the rest of the page.
  #tell() {
    const rows = this.element.querySelector(".rows");
    showBadges(rows);
    document.getElementById("found").textContent = rows.dataset.found;
  }

  // Opening a conversation loads a page; its list begins where this one is.
  #keepScroll() {
    const { element } = this;
    const kept = JSON.parse(sessionStorage.getItem(SCROLL) ?? "{}");
    if (kept.src === element.dataset.src) element.scrollTop = kept.top;
    this.#open?.scrollIntoView({ block: "nearest" });
    const keep = () => {
      sessionStorage.setItem(SCROLL, JSON.stringify({ src: element.dataset.src, top: element.scrollTop }));
    };
    element.addEventListener("scroll", keep, { passive: true });
    keep();
  }
}
