// One key presses the button that names it (aria-keyshortcuts). Loaded only for who has not switched such keys off.
const FIELDS = "input, textarea, select, [contenteditable]";
const form = document.querySelector(".judge");

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat) return;
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.target.closest(FIELDS)) return;
  const button = form.querySelector(`[aria-keyshortcuts="${CSS.escape(event.key.toUpperCase())}"]`);
  if (!button) return;
  event.preventDefault();
  button.click();
});

// A second press must not judge what the first one already has.
form.addEventListener("submit", (event) => {
  if ("sent" in form.dataset) event.preventDefault();
  form.dataset.sent = "";
});

// Back from the next page, this one may be judged again if it still waits.
addEventListener("pageshow", () => delete form.dataset.sent);
