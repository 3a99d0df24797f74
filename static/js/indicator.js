// Says whether the page is live: nothing for a hiccup, a word after two seconds, a banner after ten.
const WORD_MS = 2_000;
const BANNER_MS = 10_000;

export class Indicator {
  #timers = [];

  constructor(label, banner) {
    this.label = label;
    this.banner = banner;
    this.words = label.querySelector("[data-live]");
    this.show = (state) => (state === "live" ? this.#live() : this.#lost());
    this.#lost("connecting");
  }

  #live() {
    this.#timers.forEach(clearTimeout);
    this.#timers = [];
    this.banner.hidden = true;
    this.#say("live");
  }

  #lost() {
    if (this.#timers.length) return;
    this.#timers = [
      setTimeout(() => this.#say("reconnecting"), WORD_MS),
      setTimeout(() => {
        this.#say("offline");
        this.banner.hidden = false;
      }, BANNER_MS),
    ];
  }

  #say(state) {
    this.label.dataset.state = state;
    const words = this.words.getAttribute(`data-words-${state}`);
    if (this.words.textContent !== words) this.words.textContent = words;
  }
}
