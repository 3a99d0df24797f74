// The inbox page: what refreshes when, and who is told.
import "./page.js";
import { Composer } from "./composer.js";
import { Indicator } from "./indicator.js";
import { Region } from "./region.js";
import { LiveSocket } from "./socket.js";
import { ThreadView } from "./thread.js";
import { keepTimesCurrent } from "./times.js";

const at = (id) => document.getElementById(id);

// The list may wait a moment, the open thread may not. Jitter, because every colleague's list gets the same signal.
const list = new Region(at("list"), { spacing: 1000, jitter: 300 });
const thread = at("thread") && new Region(at("thread"));
const panel = at("panel") && new Region(at("panel"));
const composer = at("composer") && new Composer(at("composer"), { refresh: () => refresh([thread, panel, list]) });
const view = thread && new ThreadView(thread.element, { readUrl: at("composer")?.dataset.read });
const openId = Number(at("composer")?.dataset.conversation ?? location.pathname.match(/\/inbox\/(\d+)\//)?.[1]);

const refresh = (regions) => regions.forEach((region) => region?.refresh());

list.onChange = () => keepScroll(list.element);
if (thread) {
  thread.beforeChange = () => view.remember();
  thread.onChange = () => {
    view.restore();
    composer?.follow();
  };
}

new LiveSocket({
  topics: ["conversation"],
  onSignals(signals) {
    list.refresh();
    if (signals.some((signal) => signal.id === openId)) refresh([thread, panel]);
  },
  onCatchUp: () => refresh([thread, panel, list]),
  onState: new Indicator(at("live"), at("offline")).show,
}).connect();

// What a button in a fragment did is shown at once, without waiting for its signal.
document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.requestConfig.verb !== "post") return;
  if (detail.successful) composer?.clearError();
  else composer?.showError(detail.xhr.status === 422 ? detail.xhr.responseText : composer.form.dataset.unreachable);
  refresh([thread, panel, list]);
});

// Pages of the list remember where they were scrolled to, since opening a conversation loads a page.
function keepScroll(element) {
  sessionStorage.setItem("list-scroll", String(element.scrollTop));
}
if (!new URLSearchParams(location.search).has("after")) {
  at("list").scrollTop = Number(sessionStorage.getItem("list-scroll") ?? 0);
}
at("list").addEventListener("scroll", () => keepScroll(at("list")), { passive: true });

document.addEventListener("click", ({ target }) => {
  const toggle = target.closest("#panel-toggle");
  if (!toggle) return;
  const isOpen = at("panel").toggleAttribute("data-open");
  toggle.setAttribute("aria-expanded", String(isOpen));
  if (isOpen) at("panel").focus();
});
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !at("panel")?.hasAttribute("data-open")) return;
  at("panel").removeAttribute("data-open");
  at("panel-toggle").setAttribute("aria-expanded", "false");
  at("panel-toggle").focus();
});

keepTimesCurrent();
