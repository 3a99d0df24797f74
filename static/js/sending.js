// What a reply and a note have in common on their way to the server.
import { csrfToken } from "./page.js";

const TIMEOUT_MS = 15_000;

/** What was done (`deeds`), or why it was not (`problem`), in words. `words`: what to say when no answer tells. */
export async function post(url, fields, { unreachable, signedOut }) {
  try {
    const answer = await fetch(url, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { "X-CSRFToken": csrfToken() },
      keepalive: true, // also when its author goes on to the next conversation at once
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const words = await answer.text();
    if (answer.redirected || answer.status === 403) return { problem: { words: signedOut } };
    if (answer.status === 422) return { problem: { words, isFinal: true } };
    if (answer.status === 409) return { problem: { since: words } };
    if (answer.ok) return { deeds: answer.headers.get("X-Undo") };
  } catch {
    // said below
  }
  return { problem: { words: unreachable, mayTryAgain: true } };
}

/** What Enter does with these modifiers; nothing for a new line. */
export function wayOf({ ctrlKey, metaKey, shiftKey, altKey }) {
  const isCommand = ctrlKey || metaKey;
  const now = { dueAt: "", resolves: false };
  if (altKey) return null;
  if (document.body.dataset.sendKey === "ctrl_enter") return isCommand ? { ...now, resolves: shiftKey } : null;
  if (isCommand) return { ...now, resolves: true };
  return shiftKey ? null : now;
}

// crypto.randomUUID exists on https and localhost only, and some try this out on plain http first.
export function newRef() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
