// The open thread: stays where it is scrolled to, or at the end if it was there; announces what came; says what was seen.
import { csrfToken } from "./page.js";

const NEAR_END_PX = 40;

export class ThreadView {
  #wasAtEnd = true;
  #lastId = 0;
  #missed = 0;
  #readUpTo = 0;
  #stays = true;

  constructor(region, { readUrl }) {
    this.region = region;
    this.readUrl = readUrl;
    this.jump = document.getElementById("jump");
    this.announcer = document.getElementById("announcer");
    this.#lastId = this.#last();
    if (!this.#isHistory()) this.toEnd();
    this.#stays = !this.#isHistory();
    this.#log().addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.jump?.addEventListener("click", () => this.toEnd());
    // The composer that appears, or grows, takes room from the log: who was at the end stays there.
    new ResizeObserver(() => this.#stays && this.toEnd()).observe(this.#log());
    for (const event of ["visibilitychange", "focus"]) addEventListener(event, () => this.#markRead(), true);
    this.#markRead();
  }

  #onScroll() {
    this.#stays = this.#isAtEnd() && !this.#isHistory();
    if (this.#stays) this.#caughtUp();
  }

  remember() {
    this.#wasAtEnd = this.#isAtEnd();
  }

  restore() {
    const arrived = [...this.region.querySelectorAll(".msg--in[data-id]")].filter(
      (bubble) => Number(bubble.dataset.id) > this.#lastId,
    );
    this.#lastId = Math.max(this.#lastId, this.#last());
    if (this.#wasAtEnd && !this.#isHistory()) this.toEnd();
    else this.#offerJump(arrived.length);
    if (arrived.length) this.#announce(arrived.at(-1));
    this.#markRead();
  }

  toEnd() {
    const log = this.#log();
    log.scrollTop = log.scrollHeight;
    this.#caughtUp();
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
    const isSeen = document.visibilityState === "visible" && document.hasFocus() && this.#isAtEnd();
    if (!this.readUrl || !isSeen || this.#isHistory() || Number(unread) === 0 || Number(last) <= this.#readUpTo) return;
    this.#readUpTo = Number(last);
    try {
      const body = new URLSearchParams({ up_to: last });
      const answer = await fetch(this.readUrl, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() } });
      if (!answer.ok) this.#readUpTo = 0;
    } catch {
      this.#readUpTo = 0; // the next catch-up says it again
    }
  }

  #body() {
    return this.region.querySelector(".thread-body");
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
