// The inbox page: what refreshes when, and who is told.
import "./page.js";
import { listenToActions, openDetails } from "./actions.js";
import { attend } from "./attention.js";
import { Selection } from "./bulk.js";
import { Company } from "./company.js";
import { Composer } from "./composer.js";
import { listenToCopying } from "./copy.js";
import { Drawer } from "./drawer.js";
import { Indicator } from "./indicator.js";
import { Keys } from "./keys.js";
import { ListView } from "./list.js";
import { NoteBox } from "./notes.js";
import { Region } from "./region.js";
import { LiveSocket } from "./socket.js";
import { ThreadView } from "./thread.js";
import { keepTimesCurrent } from "./times.js";
import { toast } from "./toast.js";

const at = (id) => document.getElementById(id);
const openId = Number(location.pathname.match(/\/inbox\/(\d+)\//)?.[1] ?? 0);

// The list may wait a moment, the open thread may not. Jitter, because every colleague's list gets the same signal.
const list = new Region(at("list"), { spacing: 1000, jitter: 300 });
const thread = at("thread") && new Region(at("thread"));
// Whoever edits a person's details, or types a tag, is not interrupted; the panel catches up afterwards.
const isEditing = (element) => element.querySelector("[data-editing]") || element.querySelector("input:focus")?.value;
const panel = at("panel") && new Region(at("panel"), { isHeld: isEditing });

const refresh = (regions, how) => regions.forEach((region) => region?.refresh(how));
const refreshAll = () => refresh([thread, panel, list], { fresh: true });
// A list that was asked for at once may be a second old on a server that heard of the change later than this page.
const SURELY_NEW_MS = 1500;
let again = 0;
const followList = () => {
  list.refresh();
  clearTimeout(again);
  again = setTimeout(() => list.refresh(), SURELY_NEW_MS);
};

const composer = at("composer") && new Composer(at("composer"), { refresh: refreshAll });
const noteBox = composer && new NoteBox(at("note-form"), { composer, refresh: refreshAll });
const threadView =
  thread && new ThreadView(thread, { readUrl: at("composer")?.dataset.read, seenUrl: at("thread").dataset.seen, changed: refreshAll });
const listView = new ListView(list, { openId, userId: document.body.dataset.user });
const selection = at("bulk") && new Selection(at("list"), at("bulk"), { changed: refreshAll });
new Keys({ move: (step) => listView.move(step), select: selection && (() => selection.toggleCurrent()) });
if (panel) new Drawer(at("panel"));

list.beforeChange = () => listView.remember();
list.onChange = () => {
  listView.restore();
  selection?.restore();
  attend(list.element);
};
if (thread) {
  thread.beforeChange = () => threadView.remember();
  thread.onChange = () => {
    threadView.restore();
    composer?.follow();
    noteBox?.follow();
  };
  panel.element.addEventListener("focusout", () => setTimeout(() => panel.refresh()));
  panel.element.addEventListener("click", ({ target }) => {
    if (!target.closest("[data-cancel-edit]")) return;
    target.closest("[data-editing]").removeAttribute("data-editing");
    panel.reload();
  });
}

const socket = new LiveSocket({
  topics: ["conversation"],
  open: openId || null,
  onSignals(signals) {
    followList();
    if (signals.some((signal) => signal.id === openId)) refresh([thread, panel]);
  },
  onCatchUp() {
    refresh([thread, panel]);
    followList();
  },
  onState: new Indicator(at("live"), at("offline")).show,
  onCompany: ({ id, people }) => id === openId && company?.show(people),
});
const company = at("company") && new Company(at("company"), { say: (doing) => socket.say(doing) });
document.addEventListener("composer:sent", () => company?.done());
socket.connect();

// What somebody did is shown at once, without waiting for its signal.
const complain = (words) => (composer && !composer.form.hidden ? composer.showError(words) : toast(words));
listenToActions({ changed: refreshAll, complain });
listenToCopying();
openDetails(at("details"), { complain });
document.addEventListener("conversation:changed", refreshAll);

attend(list.element);
keepTimesCurrent();
