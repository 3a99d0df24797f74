// Writing to colleagues: the composer's other side, with a box, a draft and an id of its own. It stays open after a note, so
// that nothing that was meant for colleagues is ever typed into the box that sends.
import { Calling } from "./calling.js";
import { Clock } from "./clock.js";
import { Drafts } from "./drafts.js";
import { newRef, post, wayOf } from "./sending.js";

const PAUSE_MS = 500;

const at = (id) => document.getElementById(id);

export class NoteBox {
  #isOpen = false;
  #isSending = false;
  #isRepeat = false;
  #pause = 0;

  constructor(form, { composer, refresh }) {
    Object.assign(this, { form, composer, refresh });
    this.box = form.elements.body;
    this.error = at("note-error");
    this.saved = at("note-saved");
    this.clock = new Clock(form.dataset.now);
    this.conversation = Number(form.dataset.conversation);
    this.drafts = Drafts.of(document.body.dataset.user, "note");
    this.draft = this.drafts.get(this.conversation);
    this.box.value = this.draft.body;
    const { people, one, many } = form.dataset;
    this.calling = new Calling(this.box, at("callable"), { src: people, said: at("callable-said"), one, many });
    this.#listen();
    this.#showSaved("kept");
    this.follow();
    if (location.hash === "#note") this.open();
  }

  open() {
    this.#turn(true);
    if (!this.form.hidden) this.box.focus();
  }

  close() {
    this.#turn(false);
    this.composer.focus();
  }

  /** After a refetch: a note may be written also where a reply may not; what seemed lost may have arrived. */
  follow() {
    const isHistory = "history" in document.querySelector(".thread-body").dataset;
    this.form.hidden = !this.#isOpen || isHistory;
    at("note-alone").hidden = this.#isOpen || isHistory || !this.composer.form.hidden;
    at("note-close").disabled = this.composer.isImpossible;
    at("note-begun").hidden = !this.box.value.trim();
    at("reply-begun").hidden = !this.composer.box.value.trim();
    this.#fit();
    if (this.draft.ref && at(`n-${this.draft.ref}`)) this.#accepted();
  }

  async send() {
    const body = this.box.value;
    this.box.focus();
    if (this.#isSending || !body.trim()) return;
    this.calling.close();
    this.#isRepeat = this.draft.ref !== "" && this.draft.tried === body;
    if (!this.#isRepeat) Object.assign(this.draft, { ref: newRef(), tried: body });
    const { ref } = this.draft;
    this.#keep();
    this.#isSending = true;
    this.form.toggleAttribute("data-busy", true);
    this.#complain("");
    const { problem } = await post(this.form.action, { body, ref }, this.form.dataset);
    this.#isSending = false;
    this.form.toggleAttribute("data-busy", false);
    if (this.draft.ref === ref) {
      if (problem) this.#refused(problem);
      else this.#accepted();
    }
    const log = at("log");
    if (!problem) log.scrollTop = log.scrollHeight; // and so it stays when the note is there
    this.refresh();
  }

  #turn(isOpen) {
    this.#isOpen = isOpen;
    this.composer.setAside(isOpen);
    this.follow();
  }

  // Only a reason in words, given at once, says that this text was not taken: else it keeps its id, whatever comes.
  #refused({ words, isFinal, mayTryAgain }) {
    if (isFinal && !this.#isRepeat) this.#forgetAttempt();
    this.#keep();
    this.#complain(words, mayTryAgain);
  }

  #accepted() {
    const { tried } = this.draft;
    if (this.box.value.startsWith(tried)) this.box.value = this.box.value.slice(tried.length);
    document.dispatchEvent(new Event("composer:sent"));
    this.#forgetAttempt();
    this.#complain("");
    this.#changed();
  }

  #forgetAttempt() {
    Object.assign(this.draft, { ref: "", tried: "" });
  }

  #complain(words, mayTryAgain = false) {
    this.error.firstElementChild.textContent = words;
    this.error.lastElementChild.hidden = !mayTryAgain;
    this.error.hidden = !words;
  }

  #listen() {
    document.querySelectorAll("[data-command=note]").forEach((button) => button.addEventListener("click", () => this.open()));
    at("note-close").addEventListener("click", () => this.close());
    this.box.addEventListener("input", () => this.#changed());
    this.box.addEventListener("keydown", (event) => this.#onKey(event));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.error.lastElementChild.addEventListener("click", () => this.send());
    this.drafts.onElsewhere(this.conversation, (draft) => this.#adopt(draft));
    addEventListener("hashchange", () => location.hash === "#note" && this.open());
  }

  #onKey(event) {
    if (event.isComposing || event.keyCode === 229 || this.calling.onKey(event)) return;
    if (event.key === "Escape") {
      event.stopPropagation(); // leaves the field, and does nothing else
      this.box.blur();
    }
    if (event.key !== "Enter" || !wayOf(event)) return;
    event.preventDefault();
    if (!event.repeat) this.send();
  }

  // The same draft in another tab: followed, unless somebody is writing in this one.
  #adopt(draft) {
    if (this.#isSending || (document.activeElement === this.box && document.hasFocus())) return;
    this.draft = draft;
    this.box.value = draft.body;
    this.follow();
    this.#showSaved("kept");
  }

  #changed() {
    if (!this.box.value) this.#complain("");
    this.#fit();
    this.#keep();
    at("note-begun").hidden = !this.box.value.trim();
  }

  #keep() {
    Object.assign(this.draft, { body: this.box.value, at: Date.now() });
    const outcome = this.drafts.put(this.conversation, this.draft);
    clearTimeout(this.#pause);
    if (!this.draft.body) this.saved.textContent = "";
    else this.#pause = setTimeout(() => this.#showSaved(outcome), PAUSE_MS);
  }

  #showSaved(outcome) {
    const { body, at: when } = this.draft;
    this.saved.textContent = body && this.form.dataset[outcome].replace("{time}", () => this.clock.words(this.clock.at(when)));
  }

  // For browsers whose boxes do not grow by themselves.
  #fit() {
    if (CSS.supports("field-sizing", "content")) return;
    this.box.style.height = "auto";
    this.box.style.height = `${this.box.scrollHeight}px`;
  }
}
