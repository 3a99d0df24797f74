// Whatever arrives and however the list is sorted anew: the row under the pointer, or the one that has the focus, stays
// where it is on the screen. The others flow around it, and it takes its own place when nobody is at it any more.
export class Anchor {
  #row = null;
  #top = 0;
  #tops = new Map();
  #focused = null;
  #home = null;

  /** `scroller` scrolls; its rows are `li` with ids, of one height. */
  constructor(scroller) {
    this.scroller = scroller;
    for (const event of ["pointerleave", "focusout"]) {
      scroller.addEventListener(event, () => requestAnimationFrame(() => this.#letGo()));
    }
  }

  /** Before the rows change. */
  remember() {
    const focused = document.activeElement?.closest("li[id]") ?? null;
    this.#focused = this.scroller.contains(focused) ? focused : null;
    this.#row = this.scroller.querySelector("li[id]:hover") ?? this.#focused;
    this.#home = null;
    this.#tops = new Map(Array.from(this.scroller.querySelectorAll("li[id]"), (row) => [row, topOf(row)]));
    this.#top = this.#tops.get(this.#row);
  }

  /** After they changed. */
  restore() {
    if (this.#focused) this.#refocus();
    if (!this.#row?.isConnected) return;
    // At the top the list shows what comes in; further down, what is read does not move either.
    if (this.scroller.scrollTop > 0) this.scroller.scrollTop += this.#shift();
    this.#hold();
  }

  #hold() {
    const row = this.#row;
    const half = row.offsetHeight / 2;
    const off = () => topOf(row) - this.#top;
    const following = row.nextElementSibling;
    // The neighbours are moved, not the row itself, which would lose the focus.
    while (off() < -half && row.nextElementSibling) row.before(row.nextElementSibling);
    while (off() > half && row.previousElementSibling) row.after(row.previousElementSibling);
    if (row.nextElementSibling !== following) this.#home = { following };
    this.scroller.scrollTop += off();
  }

  #letGo() {
    const row = this.#row;
    if (!row || row.matches(":hover") || row.contains(document.activeElement)) return;
    if (this.#home) row.parentElement.insertBefore(row, this.#home.following);
    this.#row = this.#home = null;
  }

  // How far most of the rows that were in sight have moved.
  #shift() {
    const { top, bottom } = this.scroller.getBoundingClientRect();
    const shifts = [...this.#tops]
      .filter(([row, was]) => row.isConnected && was < bottom && was + row.offsetHeight > top)
      .map(([row, was]) => topOf(row) - was)
      .sort((one, other) => one - other);
    return shifts[Math.floor(shifts.length / 2)] ?? 0;
  }

  // A focused row that is gone hands the focus to the one after it, or before it.
  #refocus() {
    if (this.scroller.contains(document.activeElement)) return;
    const before = [...this.#tops.keys()];
    const place = before.indexOf(this.#focused);
    const heir = [...before.slice(place), ...before.slice(0, place).reverse()].find((row) => row.isConnected);
    heir?.querySelector("a").focus({ preventScroll: true });
  }
}

const topOf = (row) => row.getBoundingClientRect().top;
