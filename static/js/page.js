// How htmx and idiomorph behave on every page. Set here and not in the page, which holds no inline script.
import { labelTimes } from "./times.js";

const { htmx, Idiomorph } = window;

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.timeout = 15_000; // a server that hangs is asked again, over another connection
htmx.config.historyCacheSize = 0; // no message text in the browser's storage
htmx.config.responseHandling = [
  { code: "204|304", swap: false },
  { code: "[23]..", swap: true },
  { code: "422", swap: true, error: true }, // a form with what is wrong with it; buttons swap nothing
  { code: "[45]..", swap: false, error: true },
];

// A bubble that its server has not answered for stays; what the page itself added to a fragment stays.
Idiomorph.defaults.callbacks.beforeNodeRemoved = (node) => !node.dataset?.pending;
// What a menu fetched when it opened is not in the fragment.
Idiomorph.defaults.callbacks.beforeNodeMorphed = (node) => !node.matches?.("[hx-trigger=opened]");
// Which menus and drawers are open is this page's affair, not the fragment's.
const OWN = new Set(["aria-expanded", "open"]);
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name) => !OWN.has(name);

export const csrfToken = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";

document.addEventListener("htmx:configRequest", ({ detail }) => {
  detail.headers["X-CSRFToken"] = csrfToken();
});
document.addEventListener("htmx:afterSettle", ({ target }) => labelTimes(target));
