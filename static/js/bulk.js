// Several conversations at once: which are selected, as they were when they were, and what is done with them.
import { Menu } from "./menu.js";
import { csrfToken } from "./page.js";
import { toast, wayBack } from "./toast.js";

export class Selection {
  #chosen = new Map(); // id → the version that was shown
  #last = null;
  #bar = null;

  /** `list` holds the rows; `bar` is filled from its `data-src` with the first of them; `changed()` refetches. */
  constructor(list, bar, { changed }) {
    Object.assign(this, { list, bar, changed });
    list.addEventListener("click", (event) => this.#onClick(event));
    bar.addEventListener("click", ({ target }) => this.#onBar(target));
    bar.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#act(event.target.dataset.deed, event.target.elements.value.value);
    });
  }

  /** Selects the row that has the focus, else the open one, else the first; or no longer. */
  toggleCurrent() {
    const row =
      document.activeElement.closest("#list li[id]") ??
      this.list.querySelector("li:has([aria-current])") ??
      this.list.querySelector("li[id]");
    const box = row && boxOf(row);
    if (!box) return;
    box.checked = !box.checked;
    this.#choose(box);
    this.#show();
  }

  /** After the list was fetched again: who is no longer shown is no longer selected. */
  restore() {
    const shown = new Set();
    for (const box of this.#boxes()) {
      box.checked = this.#chosen.has(idOf(box));
      shown.add(idOf(box));
    }
    for (const id of this.#chosen.keys()) if (!shown.has(id)) this.#chosen.delete(id);
    this.#show();
  }

  #boxes() {
    return [...this.list.querySelectorAll(".q-pick input")];
  }

  #onClick(event) {
    const box = event.target.closest(".q-pick input");
    if (!box) return;
    const boxes = this.#boxes();
    const [from, to] = [boxes.indexOf(this.#last), boxes.indexOf(box)].sort((one, other) => one - other);
    const range = event.shiftKey && from >= 0 ? boxes.slice(from, to + 1) : [box];
    for (const one of range) {
      one.checked = box.checked;
      this.#choose(one);
    }
    this.#last = box;
    this.#show();
  }

  #choose(box) {
    if (box.checked) this.#chosen.set(idOf(box), box.dataset.version);
    else this.#chosen.delete(idOf(box));
  }

  #onBar(target) {
    const pick = target.closest("[data-pick]")?.dataset.pick;
    if (pick) {
      for (const box of this.#boxes()) {
        box.checked = pick === "all";
        this.#choose(box);
      }
      this.#show();
    }
    const deed = target.closest("button[data-deed]");
    if (deed) this.#act(deed.dataset.deed, deed.dataset.value);
  }

  async #show() {
    const hadFocus = this.bar.contains(document.activeElement);
    this.bar.hidden = this.#chosen.size === 0;
    if (this.bar.hidden) {
      if (hadFocus) (this.list.querySelector("[aria-current]") ?? this.list.querySelector(".q-row"))?.focus();
      return;
    }
    this.#bar ??= this.#fetch();
    if (await this.#bar) this.bar.querySelector("[data-number]").textContent = this.#chosen.size;
    else this.#bar = null;
  }

  async #fetch() {
    try {
      const answer = await fetch(this.bar.dataset.src, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(answer.status);
      this.bar.firstElementChild.innerHTML = await answer.text();
      this.bar.querySelectorAll("details").forEach((details) => new Menu(details));
      return true;
    } catch {
      toast(this.bar.dataset.failed);
      return false;
    }
  }

  async #act(deed, value) {
    const { bar } = this;
    if (bar.ariaBusy === "true") return;
    bar.ariaBusy = "true";
    for (const menu of bar.querySelectorAll("details[open]")) menu.open = false;
    toast(bar.dataset.working);
    const seen = [...this.#chosen].map((pair) => pair.join(":")).join(",");
    try {
      const body = new URLSearchParams({ deed, value, seen });
      const answer = await fetch(bar.dataset.src, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() } });
      toast(answer.ok || answer.status === 422 ? await answer.text() : bar.dataset.failed, wayBack(answer.headers.get("X-Undo")));
      if (answer.ok) this.#chosen.clear();
    } catch {
      toast(bar.dataset.failed);
    }
    bar.ariaBusy = "false";
    this.restore();
    this.changed();
  }
}

const boxOf = (row) => row.querySelector(".q-pick input");
const idOf = (box) => Number(box.closest("li").id.slice(2));
