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
  #isLoading = false;

  constructor(region, { readUrl }) {
    this.region = region;
    this.element = region.element;
    this.readUrl = readUrl;
    this.jump = document.getElementById("jump");
    this.announcer = document.getElementById("announcer");
    this.#lastId = this.#last();
    this.#newFrom = this.#firstUnread();
    this.#showRule();
    if (!this.#isHistory()) this.toEnd();
    this.#stays = !this.#isHistory();
    this.#log().addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.element.addEventListener("click", (event) => this.#onClick(event));
    this.jump?.addEventListener("click", () => this.toEnd());
    // The composer that appears, or grows, takes room from the log: who was at the end stays there.
    new ResizeObserver(() => this.#stays && this.toEnd()).observe(this.#log());
    for (const event of ["visibilitychange", "focus"]) addEventListener(event, () => this.#markRead(), true);
    document.addEventListener("conversation:resolved", () => (this.readUrl = "")); // on the way out, nothing is read
    this.#markRead();
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
    if (arrived.length && !this.#isSeen()) this.#newFrom ||= Number(arrived[0].dataset.id);
    if (this.#hasReplied()) this.#newFrom = 0;
    this.#lastId = Math.max(this.#lastId, this.#last());
    this.#isLoading = false;
    this.#showRule();
    if (this.#wasAtEnd && !this.#isHistory()) this.toEnd();
    else {
      this.#holdStill();
      this.#offerJump(arrived.length);
    }
    if (arrived.length) this.#announce(arrived.at(-1));
    this.#markRead();
  }

  toEnd() {
    const log = this.#log();
    log.scrollTop = log.scrollHeight;
    this.#caughtUp();
  }

  // --- Scrolling

  #firstInView() {
    const top = this.#log().getBoundingClientRect().top;
    const bubble = [...this.element.querySelectorAll(".msg")].find((one) => one.getBoundingClientRect().bottom > top);
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
    this.#markRead();
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

  #announce(bubble) {
    const { words } = this.announcer.dataset;
    const name = document.getElementById("contact-name").textContent;
    this.announcer.textContent = words
      .replace("{name}", () => name)
      .replace("{text}", () => bubble.querySelector(".bub").textContent);
  }

  // Read means: on a screen that somebody has before them, and not scrolled away from.
  async #markRead() {
    const { unread, last } = this.#body().dataset;
    const isSeen = this.#isSeen() && this.#isAtEnd() && !this.#isHistory();
    if (!this.readUrl || !isSeen || Number(unread) === 0 || Number(last) <= this.#readUpTo) return;
    this.#readUpTo = Number(last);
    try {
      const body = new URLSearchParams({ up_to: last });
      const answer = await fetch(this.readUrl, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() } });
      if (!answer.ok) this.#readUpTo = 0;
    } catch {
      this.#readUpTo = 0; // the next catch-up says it again
    }
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
