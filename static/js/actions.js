// The buttons inside fragments: htmx posts, and here is what the page says and does when the answer comes.
import { Menu } from "./menu.js";
import { toast, wayBack } from "./toast.js";

const failed = document.getElementById("toast").dataset.failed;

/** `changed()` fetches what an action may have changed; `complain(words)` says why one was refused. */
export function listenToActions({ changed, complain }) {
  document.addEventListener("htmx:afterRequest", ({ detail, target }) => {
    if (detail.requestConfig.verb !== "post") {
      if (target.matches(".menu-more") && !detail.successful) complain(failed);
      return;
    }
    if (detail.successful) done(target, detail.xhr.getResponseHeader("X-Undo"));
    else if (detail.xhr.status !== 422) complain(failed);
    else if (target.querySelector("[data-why]")) target.querySelector("[data-why]").textContent = detail.xhr.responseText;
    else if (!target.matches("[data-editing]")) complain(detail.xhr.responseText);
    changed();
  });
  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-print]")) print();
    const opener = target.closest("[data-opens]");
    if (opener) {
      opener.closest("details").open = false;
      document.getElementById(opener.dataset.opens).open = true;
    }
  });
  document.querySelectorAll(".head details.menu-box").forEach((details) => new Menu(details));
}

function done(element, deeds) {
  const { done: words, leaves, cancels, clears, editing } = element.dataset;
  const menu = element.closest("details");
  if (menu) menu.open = false;
  element.closest("dialog")?.close();
  if (editing !== undefined) element.removeAttribute("data-editing");
  if (clears !== undefined) element.reset();
  const isLeaving = leaves !== undefined;
  if (words) toast(words, wayBack(deeds), { isKept: isLeaving });
  if (cancels !== undefined) {
    const body = element.closest(".msg").querySelector(".bub").textContent;
    document.dispatchEvent(new CustomEvent("message:cancelled", { detail: { body } }));
  }
  if (isLeaving) document.dispatchEvent(new CustomEvent("conversation:resolved"));
}

/** One dialog for all that is asked or shown above the page: the life of a message, to whom a conversation goes. */
export function openDetails(dialog, { complain }) {
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-details]");
    if (!button) return;
    try {
      const answer = await fetch(button.dataset.details, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(answer.status);
      dialog.innerHTML = await answer.text();
      window.htmx.process(dialog);
      dialog.showModal();
    } catch {
      complain(failed);
    }
  });
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
}
