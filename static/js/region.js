// A part of the page that is fetched again and morphed in: one request in flight, one pending, never out of order.
const { htmx } = window;

export class Region {
  #isInFlight = false;
  #isPending = false;
  #isFresh = false;
  #timer = 0;
  #lastStart = -Infinity;
  #etag;

  /** `isHeld(element)`: whether this is no moment to change it; who lets go refreshes. */
  constructor(element, { spacing = 0, jitter = 0, isHeld = () => false } = {}) {
    this.element = element;
    this.spacing = spacing;
    this.jitter = jitter;
    this.isHeld = isHeld;
    this.beforeChange = () => {};
    this.onChange = () => {};
    this.#etag = element.dataset.etag;
    element.addEventListener("htmx:beforeSwap", (event) => this.#check(event));
    element.addEventListener("htmx:afterSwap", (event) => event.target === element && this.onChange());
  }

  /** Fetches it again, also when nothing has changed: to take back what the page itself did to it. */
  reload() {
    this.#etag = undefined;
    this.refresh();
  }

  /**
   * `atOnce`: somebody waits for it; the region's pace is for what others do. `fresh`: as the database has it, not as the
   * server has kept it for a moment.
   */
  refresh({ atOnce = false, fresh = false } = {}) {
    this.#isFresh ||= fresh;
    if (this.isHeld(this.element)) return;
    if (this.#isInFlight) this.#isPending = true;
    else if (atOnce || !this.#timer) {
      clearTimeout(this.#timer);
      const pause = this.spacing && this.#lastStart + this.spacing - performance.now() + Math.random() * this.jitter;
      const wait = atOnce ? 0 : pause;
      if (wait > 0) this.#timer = setTimeout(() => this.#fetch(), wait);
      else this.#fetch();
    }
  }

  async #fetch() {
    this.#timer = 0;
    this.#isInFlight = true;
    this.#lastStart = performance.now();
    const headers = this.#etag ? { "If-None-Match": this.#etag } : {};
    if (this.#isFresh) headers["Cache-Control"] = "no-cache";
    this.#isFresh = false;
    try {
      await htmx.ajax("GET", this.element.dataset.src, {
        source: this.element,
        target: this.element,
        swap: "morph:innerHTML",
        headers,
      });
    } catch {
      // The socket's state tells; the next catch-up fetches again.
    } finally {
      this.#isInFlight = false;
      if (this.#isPending) {
        this.#isPending = false;
        this.refresh();
      }
    }
  }

  // Before a swap: the session may have ended, and an answer may be older than what is shown.
  #check(event) {
    const { xhr } = event.detail;
    if (event.target !== this.element || xhr.status !== 200) return;
    if (this.isHeld(this.element)) {
      event.detail.shouldSwap = false;
      return;
    }
    if (new URL(xhr.responseURL).pathname !== new URL(this.element.dataset.src, location.href).pathname) {
      event.detail.shouldSwap = false;
      location.reload(); // to the sign-in page, and back here after it
      return;
    }
    const shown = Number(this.element.querySelector("[data-version]")?.dataset.version ?? 0);
    const fresh = Number(xhr.responseText.match(/data-version="(\d+)"/)?.[1] ?? shown);
    if (fresh < shown) {
      event.detail.shouldSwap = false;
      return;
    }
    this.#etag = xhr.getResponseHeader("ETag");
    this.beforeChange();
  }
}
