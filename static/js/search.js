// Searches while one types. Without this script the field is an ordinary form.
const PAUSE_MS = 200;

export class Search {
  #timer = 0;
  #asked;

  constructor(form, region) {
    this.form = form;
    this.region = region;
    this.field = form.querySelector("input[type=search]");
    this.#asked = this.field.value.trim();
    this.field.addEventListener("input", () => this.#soon());
    this.field.addEventListener("keydown", (event) => this.#onKey(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask();
    });
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), PAUSE_MS);
  }

  #ask() {
    clearTimeout(this.#timer);
    const words = this.field.value.trim();
    if (words === this.#asked) return;
    this.#asked = words;
    const { element } = this.region;
    const asked = new URLSearchParams([...new FormData(this.form)].filter(([, value]) => value.trim()));
    const suffix = String(asked) && `?${asked}`;
    element.dataset.src = element.dataset.src.split("?")[0] + suffix;
    element.scrollTop = 0;
    history.replaceState(history.state, "", location.pathname + suffix);
    this.region.refresh({ atOnce: true });
  }

  #onKey(event) {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") this.#enterList(event);
    else if (event.key === "Escape") this.#leave(event);
  }

  #enterList(event) {
    event.preventDefault();
    this.region.element.querySelector(".q-row")?.focus();
  }

  #leave(event) {
    event.preventDefault(); // the browser's own way to clear would be another input
    event.stopPropagation();
    if (!this.field.value) this.field.blur();
    this.field.value = "";
    this.#ask();
  }
}
