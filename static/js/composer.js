// Writing and sending. A text leaves the box only when the server has it; until then it is also in this browser's storage.
import { Clock } from "./clock.js";
import { Drafts } from "./drafts.js";
import { SendMenu } from "./later.js";
import { Meter } from "./meter.js";
import { newRef, post, wayOf } from "./sending.js";
import { Since } from "./since.js";
import { toast, wayBack } from "./toast.js";

const PAUSE_MS = 500;
const NOW = { dueAt: "", resolves: false };

export class Composer {
  #isSending = false;
  #isAside = false;
  #seen = 0;
  #isTouched = false;
  #isRepeat = false;
  #way = NOW;
  #again = null;
  #pause = 0;

  constructor(form, { refresh }) {
    this.form = form;
    this.refresh = refresh;
    this.box = form.elements.body;
    this.error = document.getElementById("composer-error");
    this.saved = document.getElementById("draft-saved");
    this.status = document.getElementById("composer-status");
    this.clock = new Clock(form.dataset.now);
    this.since = new Since(document.getElementById("since"), {
      send: (seen) => this.send({ ...this.#way, seen }),
      keep: () => this.focus(),
      discard: () => this.#discard(),
    });
    this.drafts = Drafts.of(document.body.dataset.user);
    this.conversation = Number(form.dataset.conversation);
    this.draft = this.drafts.get(this.conversation);
    this.box.value = this.draft.body;
    this.meter = new Meter(form, this.box);
    new SendMenu(document.getElementById("send-menu"), { clock: this.clock, send: (way) => this.send(way) });
    this.#listen();
    this.#showSaved("kept");
    this.follow();
    if (matchMedia("(min-width: 48rem)").matches && !isReload()) this.focus();
  }

  focus() {
    if (!this.form.hidden) this.box.focus();
  }

  /** While its author writes to colleagues instead. */
  setAside(isAside) {
    this.#isAside = isAside;
    this.follow();
  }

  // After a refetch: a reply may have become impossible or possible, and a text that seemed lost may have arrived.
  follow() {
    const { dataset } = document.querySelector(".thread-body");
    this.isImpossible = "blocked" in dataset || "history" in dataset;
    this.form.hidden = this.isImpossible || this.#isAside;
    this.#showKept("blocked" in dataset);
    this.#fit();
    const bubble = this.draft.ref && document.getElementById(`m-${this.draft.ref}`);
    if (bubble && !bubble.dataset.pending) this.#accepted();
  }

  // What was written before a reply became impossible is not lost without a word.
  #showKept(isBlocked) {
    const kept = document.getElementById("draft-kept");
    kept.hidden = !isBlocked || !this.box.value.trim();
    kept.lastElementChild.textContent = this.box.value;
  }

  /**
   * `dueAt`: the center's local time to send at, or "" for now; `resolves`: close the conversation afterwards; `seen`: the
   * last message that its author knows of, unless it is the last one shown.
   */
  async send(way = NOW) {
    const body = this.box.value;
    this.focus(); // not after the answer: by then its author may be elsewhere
    if (this.#isSending || !body.trim()) return;
    this.since.close();
    const ref = this.#attempt(body, { ...NOW, ...way });
    this.#isSending = true;
    this.#seen = Math.max(way.seen ?? 0, document.querySelector(".thread-body").dataset.last);
    this.form.toggleAttribute("data-busy", true);
    this.clearError();
    this.#showBubble(body);
    const { problem } = await post(
      this.form.action,
      { body, ref, seen: this.#seen, ...(way.dueAt && { due_at: way.dueAt }) },
      this.form.dataset,
    );
    this.#isSending = false;
    this.form.toggleAttribute("data-busy", false);
    if (this.draft.ref === ref) {
      if (problem) this.#refused(problem);
      else this.#accepted();
    }
    this.refresh();
  }

  // The same text keeps its id, so that trying again cannot send it twice; another text is another message.
  #attempt(body, way) {
    this.#isRepeat = this.draft.ref !== "" && this.draft.tried === body;
    if (!this.#isRepeat) Object.assign(this.draft, { ref: newRef(), tried: body, due: way.dueAt });
    this.#way = way;
    this.#keep();
    return this.draft.ref;
  }

  // Only a reason in words, given at once, says that this text was not taken: else it keeps its id, whatever comes.
  #refused({ words, since, isFinal, mayTryAgain }) {
    const bubble = document.getElementById(`m-${this.draft.ref}`);
    if (bubble?.dataset.pending) bubble.remove();
    const way = this.#way;
    if (since) {
      this.#keep();
      this.since.ask(since);
      return;
    }
    if (isFinal && !this.#isRepeat) this.#forgetAttempt();
    this.#keep();
    this.showError(words, mayTryAgain && (() => this.send(way)));
  }

  // Whatever was typed while the answer was on its way stays. Nothing is said of a time that was asked for only after a
  // first try whose answer was lost: that may have been what arrived.
  #accepted() {
    const { tried, due } = this.draft;
    const way = this.#way;
    if (this.box.value.startsWith(tried)) this.box.value = this.box.value.slice(tried.length);
    this.#isTouched = this.box.value !== "";
    document.dispatchEvent(new Event("composer:sent"));
    this.#forgetAttempt();
    this.clearError();
    this.since.close();
    this.#changed();
    if (way.dueAt && way.dueAt === due) {
      const time = this.clock.words(new Date(`${way.dueAt}Z`));
      write(this.status, this.form.dataset.scheduled.replace("{time}", () => time));
    }
    if (way.resolves) this.#resolve();
  }

  #forgetAttempt() {
    Object.assign(this.draft, { ref: "", tried: "", due: "" });
    this.#way = NOW;
  }

  async #resolve() {
    this.clearError();
    const { problem, deeds } = await post(this.form.dataset.resolve, { up_to: this.#seen }, this.form.dataset);
    this.refresh();
    if (problem) {
      this.showError(this.form.dataset.unresolved, () => this.#resolve());
      return;
    }
    toast(this.form.dataset.resolved, wayBack(deeds), { isKept: true });
    document.dispatchEvent(new CustomEvent("conversation:resolved"));
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
    state.textContent = this.#way.dueAt ? this.form.dataset.scheduling : this.form.dataset.sending;
    bubble.append(text, state);
    document.getElementById("messages").append(bubble);
    const log = document.getElementById("log");
    log.scrollTop = log.scrollHeight;
  }

  showError(words, again = null) {
    this.#again = again || null;
    this.error.firstElementChild.textContent = words;
    this.error.lastElementChild.hidden = !again;
    this.error.hidden = false;
  }

  clearError() {
    this.error.hidden = true;
  }

  #listen() {
    this.box.addEventListener("input", () => {
      this.#isTouched = true;
      this.#changed();
    });
    this.box.addEventListener("keydown", (event) => this.#onKey(event));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.error.lastElementChild.addEventListener("click", () => this.#again?.());
    this.drafts.onElsewhere(this.conversation, (draft) => this.#adopt(draft));
    document.addEventListener("message:cancelled", ({ detail }) => this.#restore(detail.body));
  }

  #onKey(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") {
      event.stopPropagation(); // leaves the field, and does nothing else
      this.box.blur();
    }
    const way = event.key === "Enter" && wayOf(event);
    if (!way) return;
    event.preventDefault();
    if (event.repeat) return;
    if (this.since.isOpen) this.since.focus(); // a second Enter is no answer to what nobody has read
    else this.send(way);
  }

  // The same draft in another tab: followed, unless somebody is writing in this one.
  #adopt(draft) {
    const isWriting = this.#isTouched && this.box.value && document.hasFocus();
    if (this.#isSending || (isWriting && draft.body !== this.box.value)) return;
    this.draft = draft;
    this.#isTouched = false;
    if (this.box.value !== draft.body) this.box.value = draft.body;
    this.meter.show();
    this.#fit();
    this.#showSaved("kept");
  }

  // What a colleague has said already.
  #discard() {
    this.box.value = "";
    this.#forgetAttempt();
    this.#changed();
    this.focus();
  }

  // A scheduled message that was called back is a draft again.
  #restore(body) {
    if (!body || this.box.value.trim()) return;
    this.box.value = body;
    this.#isTouched = true;
    this.#changed();
    this.focus();
  }

  #changed() {
    write(this.status, "");
    if (!this.box.value) {
      this.clearError();
      this.since.close();
    }
    this.meter.show();
    this.#fit();
    this.#keep();
  }

  // At every key, for the sake of a crash; said when typing pauses.
  #keep() {
    Object.assign(this.draft, { body: this.box.value, at: Date.now() });
    const outcome = this.drafts.put(this.conversation, this.draft);
    clearTimeout(this.#pause);
    if (!this.draft.body) write(this.saved, "");
    else this.#pause = setTimeout(() => this.#showSaved(outcome), PAUSE_MS);
  }

  #showSaved(outcome) {
    const { body, at } = this.draft;
    const words = this.form.dataset[outcome].replace("{time}", () => this.clock.words(this.clock.at(at)));
    write(this.saved, body && words);
  }

  // For browsers whose boxes do not grow by themselves.
  #fit() {
    if (CSS.supports("field-sizing", "content")) return;
    this.box.style.height = "auto";
    this.box.style.height = `${this.box.scrollHeight}px`;
  }
}

function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

// Then the keyboard is where its reader left it: with the list's keys, not with the box.
function isReload() {
  return performance.getEntriesByType("navigation")[0]?.type === "reload";
}
