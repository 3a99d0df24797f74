// The question above the composer when the conversation went on after what its author saw: asked once, and never answered
// by a key that was meant for the text.
export class Since {
  /** `send(seen)`, `keep()` and `discard()`: what may be answered; `seen` is the last message that was shown. */
  constructor(element, answers) {
    this.element = element;
    element.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-since]");
      if (!button) return;
      const { seen } = element.querySelector("[data-seen]").dataset;
      this.close();
      answers[button.dataset.since](Number(seen));
    });
    element.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.repeat) event.preventDefault();
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
      answers.keep();
    });
  }

  get isOpen() {
    return !this.element.hidden;
  }

  ask(html) {
    this.element.innerHTML = html;
    this.element.hidden = false;
  }

  focus() {
    this.element.querySelector("[data-since=send]").focus();
  }

  close() {
    this.element.hidden = true;
    this.element.replaceChildren();
  }
}
