// The contact's pane where there is no room for it: a drawer that a button opens and Escape closes.
export class Drawer {
  constructor(panel) {
    this.panel = panel;
    document.addEventListener("click", ({ target }) => target.closest("#panel-toggle") && this.#toggle());
    document.addEventListener("keydown", ({ key }) => key === "Escape" && this.isOpen && this.#toggle());
    document.addEventListener("pointerdown", ({ target }) => {
      if (this.isOpen && !panel.contains(target) && !target.closest("#panel-toggle")) this.#toggle();
    });
  }

  get isOpen() {
    return this.panel.hasAttribute("data-open");
  }

  #toggle() {
    const toggle = document.getElementById("panel-toggle");
    const isOpen = this.panel.toggleAttribute("data-open");
    toggle.setAttribute("aria-expanded", String(isOpen));
    (isOpen ? this.panel : toggle).focus();
  }
}
