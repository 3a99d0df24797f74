// The supervisor's live board: what refreshes when, and how work is moved on it.
import "./page.js";
import { listenToActions, openDetails } from "./actions.js";
import { showBadges } from "./badges.js";
import { Cards } from "./cards.js";
import { Indicator } from "./indicator.js";
import { Keys } from "./keys.js";
import { Region } from "./region.js";
import { LiveSocket } from "./socket.js";
import { keepTimesCurrent } from "./times.js";
import { toast } from "./toast.js";

const at = (id) => document.getElementById(id);
const { wordsMoved, wordsUnreachable, wordsSignedOut } = at("board").dataset;

const board = new Region(at("board"), { spacing: 1000, jitter: 300, isHeld: () => cards.isInHand });
const refresh = () => board.refresh({ fresh: true });
const cards = new Cards(at("board"), {
  words: { moved: wordsMoved, unreachable: wordsUnreachable, signedOut: wordsSignedOut },
  changed: refresh,
});
board.beforeChange = () => cards.remember();
board.onChange = () => {
  cards.restore();
  showBadges(at("board").firstElementChild);
};

new Keys({ move: (step) => cards.move(step) });
listenToActions({ changed: refresh, complain: toast });
openDetails(at("details"), { complain: toast });
document.addEventListener("conversation:changed", refresh);

new LiveSocket({
  topics: ["conversation"],
  open: null,
  onSignals: () => board.refresh(),
  onCatchUp: () => board.refresh(),
  onState: new Indicator(at("live"), at("offline")).show,
  onCompany() {},
}).connect();
keepTimesCurrent();
