// Buttons that copy what they hold (data-copy), and say so in words of the template's (data-copied).
import { toast } from "./toast.js";

export function listenToCopying() {
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      toast(button.dataset.copied);
    } catch {
      toast(button.dataset.copy); // no clipboard without https: to be copied by hand
    }
  });
}
