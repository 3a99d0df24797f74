// The open thread: stays where it is scrolled to, or at the end if it was there; announces what came; says what was seen.
import { csrfToken } from "./page.js";

const NEAR_END_PX = 40;
const NEAR_START_PX = 160;

export class ThreadView {
  #wasAtEnd = true;
  #anchor = null;
  #lastId = 0;
  #missed = 0;
  #readUpTo = 0;
  #stays = true;
  #newFrom = 0;
  #lastNote = 0;
  #seenNote = 0;
  #isLoading = false;

  /** `readUrl`, `seenUrl`: where to say that texts were read, and notes that call their reader seen; then `changed()`. */
  constructor(region, { readUrl, seenUrl, changed }) {
    this.region = region;
    this.element = region.element;
    Object.assign(this, { readUrl, seenUrl, changed });
    this.jump = document.getElementById("jump");
    this.announcer = document.getElementById("announcer");
    this.#lastId = this.#last();
    this.#newFrom = this.#firstUnread();
    this.#showRule();
    this.#lastNote = this.#notesAfter(0).at(-1)?.id ?? 0;
    const aim = this.#aim();
    if (aim) aim.scrollIntoView({ block: "center" });
    else if (!this.#isHistory()) this.toEnd();
    this.#stays = !this.#isHistory() && !aim;
    this.#log().addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.element.addEventListener("click", (event) => this.#onClick(event));
    this.jump?.addEventListener("click", () => this.toEnd());
    // The composer that appears, or grows, takes room from the log: who was at the end stays there.
    new ResizeObserver(() => this.#stays && this.toEnd()).observe(this.#log());
    for (const event of ["visibilitychange", "focus"]) addEventListener(event, () => this.#markSeen(), true);
    document.addEventListener("conversation:resolved", () => (this.readUrl = "")); // on the way out, nothing is read
    this.#markSeen();
  }

  #onScroll() {
    this.#stays = this.#isAtEnd() && !this.#isHistory();
    if (this.#stays) this.#caughtUp();
    else if (this.#log().scrollTop < NEAR_START_PX) this.#loadEarlier();
  }

  #onClick(event) {
    if (!event.target.closest("#earlier a") || !("earlier" in this.#body().dataset)) return;
    event.preventDefault();
    this.#loadEarlier();
  }

  // The same fragment, from further back on: so there is one way to show a thread, and older messages stay live too.
  #loadEarlier() {
    const { earlier } = this.#body().dataset;
    if (!earlier || this.#isLoading) return;
    this.#isLoading = true;
    const url = new URL(this.element.dataset.src, location.href);
    url.searchParams.set("since", earlier);
    this.element.dataset.src = url.pathname + url.search;
    this.region.refresh();
  }

  remember() {
    this.#wasAtEnd = this.#isAtEnd();
    this.#anchor = this.#wasAtEnd ? null : this.#firstInView();
  }

  restore() {
    const arrived = this.#arrivedAfter(this.#lastId);
    const noted = this.#notesAfter(this.#lastNote);
    if (arrived.length && !this.#isSeen()) this.#newFrom ||= Number(arrived[0].dataset.id);
    if (this.#hasReplied()) this.#newFrom = 0;
    this.#lastId = Math.max(this.#lastId, this.#last());
    this.#lastNote = Math.max(this.#lastNote, ...noted.map(({ id }) => id));
    this.#isLoading = false;
    this.#showRule();
    if (this.#wasAtEnd && !this.#isHistory()) this.toEnd();
    else {
      this.#holdStill();
      this.#offerJump(arrived.length + noted.length);
    }
    if (arrived.length) this.#announce(arrived.at(-1));
    else if (noted.length) this.#announceNote(noted.at(-1).element);
    this.#markSeen();
  }

  toEnd() {
    const log = this.#log();
    log.scrollTop = log.scrollHeight;
    this.#caughtUp();
  }

  // --- Scrolling

  #firstInView() {
    const top = this.#log().getBoundingClientRect().top;
    const bubble = [...this.element.querySelectorAll(".msg, .note, .evt")].find((one) => one.getBoundingClientRect().bottom > top);
    return bubble && { id: bubble.id, top: bubble.getBoundingClientRect().top };
  }

  // Whatever came above or below, what somebody reads stays under their eyes.
  #holdStill() {
    const bubble = this.#anchor && document.getElementById(this.#anchor.id);
    if (bubble) this.#log().scrollTop += bubble.getBoundingClientRect().top - this.#anchor.top;
  }

  #offerJump(count) {
    this.#missed += count;
    if (!this.#missed || !this.jump) return;
    this.jump.lastElementChild.textContent = `${this.jump.dataset.words} (${this.#missed})`;
    this.jump.hidden = false;
  }

  #caughtUp() {
    this.#missed = 0;
    if (this.jump) this.jump.hidden = true;
    this.#markSeen();
  }

  // What the address asks for: a note that calls its reader.
  #aim() {
    return location.hash.startsWith("#n-") ? document.getElementById(location.hash.slice(1)) : null;
  }

  // --- What is new: a rule above it, until its reader answers or leaves

  #firstUnread() {
    const unread = Number(this.#body().dataset.unread);
    const texts = this.element.querySelectorAll(".msg--in");
    return unread && texts.length ? Number(texts[Math.max(0, texts.length - unread)].dataset.id) : 0;
  }

  #hasReplied() {
    const sent = [...this.element.querySelectorAll(".msg--out[data-id]")].at(-1);
    return sent && Number(sent.dataset.id) > this.#newFrom && this.#newFrom > 0;
  }

  #showRule() {
    document.getElementById("new-rule")?.remove();
    const first = this.#newFrom && this.element.querySelector(`.msg[data-id="${this.#newFrom}"]`);
    if (!first) return;
    const count = this.#arrivedAfter(this.#newFrom - 1).length;
    const rule = document.createElement("li");
    rule.id = "new-rule";
    rule.className = "day day--new";
    rule.textContent = count === 1 ? this.announcer.dataset.one : this.announcer.dataset.many.replace("{n}", count);
    first.before(rule);
  }

  #arrivedAfter(id) {
    return [...this.element.querySelectorAll(".msg--in[data-id]")].filter((bubble) => Number(bubble.dataset.id) > id);
  }

  // Of colleagues: what is one's own needs no jump and no words.
  #notesAfter(id) {
    return [...this.element.querySelectorAll(".note:not([data-mine])")]
      .map((element) => ({ element, id: Number(element.dataset.note) }))
      .filter((note) => note.id > id);
  }

  #announceNote(note) {
    const text = () => note.querySelector(".note-text").textContent;
    this.announcer.textContent = this.announcer.dataset.wordsNote.replace("{text}", text);
  }

  #announce(bubble) {
    const { words } = this.announcer.dataset;
    const name = document.getElementById("contact-name").textContent;
    this.announcer.textContent = words
      .replace("{name}", () => name)
      .replace("{text}", () => bubble.querySelector(".bub").textContent);
  }

  #markSeen() {
    this.#markRead();
    this.#markCalled();
  }

  // Whoever has the conversation before them has been reached, also when they read further up.
  async #markCalled() {
    const called = Number(this.#body().dataset.called ?? 0);
    if (!this.seenUrl || !this.#isSeen() || this.#isHistory() || called <= this.#seenNote) return;
    const isInView = this.#isAtEnd() || this.#isInView(this.element.querySelector(`[data-note="${called}"]`));
    if (!isInView) return;
    this.#seenNote = called;
    if (await say(this.seenUrl, called)) this.changed();
    else this.#seenNote = 0;
  }

  #isInView(element) {
    const [log, box] = [this.#log(), element].map((one) => one?.getBoundingClientRect());
    return Boolean(box) && box.bottom > log.top && box.top < log.bottom;
  }

  // Read means: on a screen that somebody has before them, and not scrolled away from.
  async #markRead() {
    const { unread, last } = this.#body().dataset;
    const isSeen = this.#isSeen() && this.#isAtEnd() && !this.#isHistory();
    if (!this.readUrl || !isSeen || Number(unread) === 0 || Number(last) <= this.#readUpTo) return;
    this.#readUpTo = Number(last);
    if (!(await say(this.readUrl, last))) this.#readUpTo = 0; // the next catch-up says it again
  }

  #isSeen() {
    return document.visibilityState === "visible" && document.hasFocus();
  }

  #body() {
    return this.element.querySelector(".thread-body");
  }

  #log() {
    return document.getElementById("log");
  }

  #last() {
    return Number(this.#body().dataset.last);
  }

  #isHistory() {
    return this.#body().hasAttribute("data-history");
  }

  #isAtEnd() {
    const log = this.#log();
    return log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
  }
}

// Whether the server has heard up to which id somebody saw what is there.
async function say(url, upTo) {
  try {
    const body = new URLSearchParams({ up_to: upTo });
    return (await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() } })).ok;
  } catch {
    return false;
  }
}
