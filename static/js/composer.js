// Writing and sending. A text leaves the box only when the server has it; until then it is also in this browser's storage.
import { csrfToken } from "./page.js";
import { count } from "./segments.js";

const TIMEOUT_MS = 15_000;

export class Composer {
  #isSending = false;

  constructor(form, { refresh }) {
    this.form = form;
    this.refresh = refresh;
    this.box = form.elements.body;
    this.error = document.getElementById("composer-error");
    this.key = `draft:${document.body.dataset.user}:${form.dataset.conversation}`;
    this.draft = this.#stored();
    this.box.value = this.draft.body;
    this.box.addEventListener("input", () => this.#keep());
    this.box.addEventListener("keydown", (event) => this.#onKey(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.#measure();
    this.follow();
    if (!form.hidden && matchMedia("(min-width: 48rem)").matches) this.box.focus();
  }

  // After a refetch: a reply may have become impossible or possible, and a text that seemed lost may have arrived.
  follow() {
    const { dataset } = document.querySelector(".thread-body");
    this.form.hidden = "blocked" in dataset || "history" in dataset;
    const bubble = this.draft.tried && document.getElementById(`m-${this.draft.ref}`);
    if (bubble && !bubble.dataset.pending) this.#accepted();
  }

  async send() {
    const body = this.box.value;
    if (this.#isSending || !body.trim()) return;
    // The same text keeps its id, so that trying again cannot send it twice; another text is another message.
    if (!this.draft.ref || (this.draft.tried && this.draft.tried !== body)) this.draft.ref = newRef();
    this.draft.tried = body;
    this.#store();
    this.#isSending = true;
    this.clearError();
    this.#showBubble(body);
    const problem = await this.#post(body);
    this.#isSending = false;
    if (problem) this.#refused(problem);
    else this.#accepted();
    this.refresh();
  }

  async #post(body) {
    try {
      const answer = await fetch(this.form.action, {
        method: "POST",
        body: new URLSearchParams({ body, ref: this.draft.ref }),
        headers: { "X-CSRFToken": csrfToken() },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const words = await answer.text();
      if (answer.redirected || answer.status === 403) return { words: this.form.dataset.signedOut };
      if (answer.status === 422) return { words };
      return answer.ok ? null : { words: this.form.dataset.unreachable, mayTryAgain: true };
    } catch {
      return { words: this.form.dataset.unreachable, mayTryAgain: true };
    }
  }

  #refused({ words, mayTryAgain }) {
    const bubble = document.getElementById(`m-${this.draft.ref}`);
    if (bubble?.dataset.pending) bubble.remove();
    if (!mayTryAgain) this.draft.ref = this.draft.tried = "";
    this.#store();
    this.showError(words, mayTryAgain);
    this.box.focus();
  }

  // Whatever was typed while the answer was on its way stays.
  #accepted() {
    const { tried } = this.draft;
    if (this.box.value.startsWith(tried)) this.box.value = this.box.value.slice(tried.length);
    this.draft.ref = this.draft.tried = "";
    this.clearError();
    this.#keep();
  }

  #showBubble(body) {
    const id = `m-${this.draft.ref}`;
    if (document.getElementById(id)) return;
    const bubble = document.createElement("li");
    const text = document.createElement("p");
    const state = document.createElement("p");
    bubble.id = id;
    bubble.className = "msg msg--out";
    bubble.dataset.pending = "true";
    text.className = "bub";
    text.textContent = body.trim();
    state.className = "m";
    state.textContent = this.form.dataset.sending;
    bubble.append(text, state);
    document.getElementById("messages").append(bubble);
    const log = document.getElementById("log");
    log.scrollTop = log.scrollHeight;
  }

  #onKey(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (!event.repeat) this.send();
  }

  showError(words, mayTryAgain = false) {
    this.error.firstElementChild.textContent = words;
    this.error.lastElementChild.hidden = !mayTryAgain;
    this.error.hidden = false;
  }

  clearError() {
    this.error.hidden = true;
  }

  #measure() {
    const { encoding, units, segments, room } = count(this.box.value);
    const label = document.getElementById("count");
    const word = segments === 1 ? this.form.dataset.segment : this.form.dataset.segments;
    const isTooLong = segments > Number(this.form.dataset.most);
    const limit = isTooLong ? ` (${this.form.dataset.atMost})` : "";
    label.textContent = `${units}/${units + room} · ${segments} ${word}${limit} · ${encoding}`;
    label.classList.toggle("bad", isTooLong);
  }

  #keep() {
    this.draft.body = this.box.value;
    this.#store();
    this.#measure();
  }

  #stored() {
    try {
      return { body: "", ref: "", tried: "", ...JSON.parse(localStorage.getItem(this.key) ?? "{}") };
    } catch {
      return { body: "", ref: "", tried: "" };
    }
  }

  #store() {
    try {
      if (holdsCard(this.draft.body)) localStorage.removeItem(this.key);
      else if (this.draft.body || this.draft.ref) localStorage.setItem(this.key, JSON.stringify(this.draft));
      else localStorage.removeItem(this.key);
    } catch {
      // A full or forbidden storage costs the safety net, not the message.
    }
  }
}

// crypto.randomUUID exists on https and localhost only, and some try this out on plain http first.
function newRef() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

// A card number, by length and check digit, is not kept on this machine's disk either; the server refuses to send it.
function holdsCard(text) {
  return (text.match(/\d(?:[ .-]?\d){12,18}/g) ?? []).some((run) => {
    const digits = [...run.replace(/\D/g, "")].reverse().map(Number);
    const doubled = digits.map((digit, place) => (place % 2 ? (digit * 2 > 9 ? digit * 2 - 9 : digit * 2) : digit));
    return doubled.reduce((sum, digit) => sum + digit, 0) % 10 === 0;
  });
}
