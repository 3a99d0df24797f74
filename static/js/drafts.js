// What somebody has begun to write, kept in this browser until the server has it: by user, because desks are shared,
// and by conversation.
const KEPT_MS = 30 * 24 * 60 * 60 * 1000;
const EVERYBODYS = "draft:";

/** One user's drafts: `body` as typed; `ref`, `tried` and `due` of an attempt whose outcome is not known; `at` in ms. */
export class Drafts {
  static of(userId) {
    return new Drafts(userId);
  }

  constructor(userId) {
    this.prefix = `${EVERYBODYS}${userId}:`;
  }

  get(conversation) {
    return parsed(this.#read(conversation));
  }

  /** Whether it is now stored: "kept", "card" (never, for what it holds) or "failed". */
  put(conversation, draft) {
    const isCard = holdsSecret(draft.body);
    try {
      if (isCard || !(draft.body || draft.ref)) this.remove(conversation);
      else localStorage.setItem(this.prefix + conversation, JSON.stringify(storable(draft)));
    } catch {
      return "failed"; // a full or forbidden storage costs the safety net, not the message
    }
    return isCard ? "card" : "kept";
  }

  remove(conversation) {
    localStorage.removeItem(this.prefix + conversation);
  }

  /** Conversation id → text. */
  all() {
    const texts = keys(this.prefix).map((key) => [Number(key.slice(this.prefix.length)), parsed(read(key)).body]);
    return new Map(texts.filter(([, body]) => body.trim()));
  }

  /** Calls back with the draft when another tab of this user has changed it. */
  onElsewhere(conversation, callback) {
    addEventListener("storage", ({ key }) => {
      if (key === null || key === this.prefix + conversation) callback(this.get(conversation));
    });
  }

  #read(conversation) {
    return read(this.prefix + conversation);
  }
}

/** Conversation id → text, of everything this user has begun to write here. */
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

// Anybody's, whoever is signed in: a desk that somebody has left does not keep their words for ever.
for (const key of keys(EVERYBODYS)) if (Date.now() - parsed(read(key)).at > KEPT_MS) localStorage.removeItem(key);
