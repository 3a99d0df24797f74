// What was just done, in a few words, and the way back. Survives the step to another conversation.
import { csrfToken } from "./page.js";

const SHOWN_MS = 10_000;
const KEPT = "toast";

const box = document.getElementById("toast");
const [words, undo] = box.children;
let timer = 0;
let back = null;

/** The way back from deeds that an answer's `X-Undo` named, to the page they were done on; nothing without any. */
export function wayBack(deeds) {
  return deeds && { url: box.dataset.undo, values: `entries=${deeds}`, to: location.pathname + location.search };
}

/** `undoing`: `{ url, values, to }` posts to the url and goes to the page `to`, or nothing when there is no way back. */
export function toast(text, undoing = null, { isKept = false } = {}) {
  if (isKept) sessionStorage.setItem(KEPT, JSON.stringify({ text, undoing, at: Date.now() }));
  words.textContent = text;
  back = undoing;
  undo.hidden = !undoing;
  box.toggleAttribute("data-shown", true);
  clearTimeout(timer);
  timer = setTimeout(hide, SHOWN_MS);
}

function hide() {
  box.toggleAttribute("data-shown", false);
  undo.hidden = true;
  words.textContent = "";
}

undo.addEventListener("click", async () => {
  const { url, values, to } = back;
  hide();
  try {
    const body = new URLSearchParams(values);
    const answer = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() } });
    if (!answer.ok) toast(answer.status === 422 ? await answer.text() : box.dataset.failed);
    else if (answer.status === 200) toast(await answer.text());
    if (answer.ok && to && to !== location.pathname + location.search) goBack(to);
    else document.dispatchEvent(new CustomEvent("conversation:changed"));
  } catch {
    toast(box.dataset.failed);
  }
});

// Back by a key: so with the focus on the row (static/js/list.js), not in the box.
function goBack(to) {
  sessionStorage.setItem("list-arrives", "true");
  location.assign(to);
}

// While somebody reads or reaches for it, it stays.
box.addEventListener("pointerenter", () => clearTimeout(timer));
box.addEventListener("pointerleave", () => (timer = setTimeout(hide, SHOWN_MS)));
box.addEventListener("focusin", () => clearTimeout(timer));

const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
sessionStorage.removeItem(KEPT);
if (kept && Date.now() - kept.at < SHOWN_MS) toast(kept.text, kept.undoing);
