// What somebody has begun to write, kept in this browser until the server has it: by user, because desks are shared,
// by conversation, and by kind: what is meant for colleagues is never in the box that sends.
import { csrfToken } from "./page.js";

const KEPT_MS = 30 * 24 * 60 * 60 * 1000;
const EVERYBODYS = "draft:";
const DONE = "draft-done:"; // the version of what was sent or given up
const SAVE_AFTER_MS = 1000;

/** One user's drafts: `body` as typed; `ref`, `tried` and `due` of an attempt whose outcome is not known; `at` in ms. */
export class Drafts {
  /** `kind`: "reply" or "note". */
  static of(userId, kind = "reply") {
    return new Drafts(userId, kind);
  }

  constructor(userId, kind) {
    this.kind = kind;
    this.prefix = `${EVERYBODYS}${userId}:`;
    this.suffix = kind === "reply" ? "" : `:${kind}`;
  }

  get(conversation) {
    return parsed(this.#read(conversation));
  }

  /** Whether it is now stored: "kept", "card" (never, for what it holds) or "failed". */
  put(conversation, draft) {
    const isCard = holdsSecret(draft.body);
    const body = isCard ? "" : draft.body;
    const before = this.get(conversation);
    if (body !== before.body) {
      draft.at = Math.max(draft.at, before.at + 1, this.#doneAt(conversation) + 1);
      saving(this.#key(conversation), { conversation, kind: this.kind, body, version: draft.at });
    }
    try {
      if (body !== before.body && !body) localStorage.setItem(DONE + this.#key(conversation), draft.at);
      if (isCard || !(draft.body || draft.ref)) this.remove(conversation);
      else localStorage.setItem(this.#key(conversation), JSON.stringify(storable(draft)));
    } catch {
      return "failed"; // a full or forbidden storage costs the safety net, not the message
    }
    return isCard ? "card" : "kept";
  }

  /** What the server has, where it is newer than what this browser has. */
  adopt({ conversation, body, version }) {
    const known = this.get(conversation);
    if (version <= Math.max(known.at, this.#doneAt(conversation)) || known.ref) return;
    try {
      if (body) localStorage.setItem(this.#key(conversation), JSON.stringify({ body, at: version }));
      else this.remove(conversation);
    } catch {
      // then it is shown where it was written
    }
  }

  #doneAt(conversation) {
    return Number(read(DONE + this.#key(conversation)) ?? 0);
  }

  remove(conversation) {
    localStorage.removeItem(this.#key(conversation));
  }

  /** Conversation id → text. */
  all() {
    const texts = keys(this.prefix).map((key) => [parseInt(key.slice(this.prefix.length), 10), key]);
    const own = texts.filter(([id, key]) => key === this.#key(id)).map(([id, key]) => [id, parsed(read(key)).body]);
    return new Map(own.filter(([, body]) => body.trim()));
  }

  /** Calls back with the draft when another tab of this user has changed it. */
  onElsewhere(conversation, callback) {
    addEventListener("storage", ({ key }) => {
      if (key === null || key === this.#key(conversation)) callback(this.get(conversation));
    });
  }

  #read(conversation) {
    return read(this.#key(conversation));
  }

  #key(conversation) {
    return this.prefix + conversation + this.suffix;
  }
}

/** Conversation id → text, of every reply that this user has begun to write here. */
export function drafts(userId) {
  return Drafts.of(userId).all();
}

function parsed(text) {
  const empty = { body: "", ref: "", tried: "", due: "", at: 0 };
  try {
    return { ...empty, ...JSON.parse(text ?? "{}") };
  } catch {
    return empty;
  }
}

function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keys(prefix) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  } catch {
    return [];
  }
}

// A card number that was tried is gone from the box, and must not stay here as the text that was tried.
function storable(draft) {
  return holdsSecret(draft.tried) ? { ...draft, ref: "", tried: "", due: "" } : draft;
}

// Card numbers, by length and check digit, and social security numbers, by their layout, are not kept on this machine's
// disk either; the server refuses to send them. Sought in whole groups, so that a date after a card does not hide it.
function holdsSecret(text) {
  const plain = text.normalize("NFKC").replace(/\p{Cf}/gu, "");
  return (
    /(?<!\d)\d{3}[-. ]\d{2}[-. ]\d{4}(?!\d)/.test(plain) ||
    (plain.match(/\d(?:[\s.·•_\-\u2010-\u2015\u2212]{0,3}\d){12,}/g) ?? []).some((run) => {
      const groups = run.split(/\D+/);
      return groups.some((_, first) => holdsCard(groups.slice(first)));
    })
  );
}

function holdsCard(groups) {
  let digits = "";
  for (const group of groups) {
    digits += group;
    if (digits.length > 19) return false;
    if (digits.length >= 13 && passesCheck(digits)) return true;
  }
  return false;
}

function passesCheck(digits) {
  const doubled = [...digits].reverse().map((one, place) => (place % 2 ? [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][one] : +one));
  return doubled.reduce((sum, digit) => sum + digit, 0) % 10 === 0;
}

// To the server: per draft one request at a time, the newest text last, so that none overtakes another.
const waiting = new Map();
const busy = new Set();

function saving(key, draft) {
  clearTimeout(waiting.get(key)?.timer);
  waiting.set(key, { draft, timer: setTimeout(() => save(key), SAVE_AFTER_MS) });
}

async function save(key) {
  if (busy.has(key) || !waiting.has(key)) return;
  const { draft, timer } = waiting.get(key);
  clearTimeout(timer);
  waiting.delete(key);
  busy.add(key);
  await post(draft);
  busy.delete(key);
  if (waiting.has(key)) save(key);
}

// What is not saved stays in this browser, and goes with the next key.
async function post({ conversation, ...fields }) {
  try {
    await fetch(`${document.getElementById("search").action}${conversation}/draft/`, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { "X-CSRFToken": csrfToken() },
      keepalive: true,
    });
  } catch {
    // said by the page's own sign
  }
}

addEventListener("pagehide", () => waiting.forEach(({ draft, timer }) => {
  clearTimeout(timer);
  post(draft);
}));

const kinds = {};
for (const draft of JSON.parse(document.getElementById("server-drafts")?.textContent ?? "[]")) {
  (kinds[draft.kind] ??= Drafts.of(document.body.dataset.user, draft.kind)).adopt(draft);
}

// Anybody's, whoever is signed in: a desk that somebody has left does not keep their words for ever.
for (const key of keys(DONE)) if (Date.now() - Number(read(key)) > KEPT_MS) localStorage.removeItem(key);
for (const key of keys(EVERYBODYS)) if (Date.now() - parsed(read(key)).at > KEPT_MS) localStorage.removeItem(key);
