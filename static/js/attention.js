// Calls for attention, for those who asked for it: a count in the title, a soft sound, the desktop. One's own work only.
import { Desktop } from "./desktop.js";

const BETWEEN_MS = 3_000;
const NOTES_HZ = [587, 880];
const NOTE_SECONDS = 0.14;
const LOUDNESS = 0.05;

const title = document.title.replace(/^\(\d+\) /, "");
const desktop = new Desktop();
let known = null;
let wasOpenUnread = false;
let lastSound = -Infinity;

/** When the page begins and whenever the list changed: `list` holds the fragment, whose root knows how many conversations of one's own are unread. */
export function attend(list) {
  const { mine, mineUnread, called } = list.querySelector("[data-mine-unread]").dataset;
  const unread = Number(mineUnread);
  const isOpenUnread = list.querySelector(".q-row[aria-current].is-unread") !== null;
  const { titleCount, sound } = document.body.dataset;
  if (titleCount === "true") document.title = unread ? `(${unread}) ${title}` : title;
  // What arrives in the conversation that somebody is looking at needs no sound.
  const seen = document.hasFocus() && isOpenUnread && !wasOpenUnread ? 1 : 0;
  if (sound === "true" && known !== null && unread - seen > known) chime();
  if (known !== null) desktop.tell({ text: unread - seen, given: Number(mine), called: Number(called) });
  else desktop.know({ text: unread, given: Number(mine), called: Number(called) });
  known = unread;
  wasOpenUnread = isOpenUnread;
}

// Browsers let a page sound only after somebody has used it, and complain about one that tries.
function chime() {
  if (!navigator.userActivation?.hasBeenActive || performance.now() - lastSound < BETWEEN_MS) return;
  lastSound = performance.now();
  const context = new AudioContext();
  NOTES_HZ.forEach((pitch, index) => play(context, pitch, context.currentTime + index * NOTE_SECONDS));
  setTimeout(() => context.close(), BETWEEN_MS);
}

function play(context, pitch, at) {
  const tone = new OscillatorNode(context, { frequency: pitch });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + 3 * NOTE_SECONDS);
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(at + 3 * NOTE_SECONDS);
}
