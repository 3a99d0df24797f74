// What more than halves the room in a segment without anybody having meant it. The twin of to_gsm in
// contactcenter/lib/segments.py: a browser test compares the two.
import { isGsm } from "./segments.js";

const TYPOGRAPHY = new Map(
  [
    ["‘’‚‛′`´ʹʼ＇", "'"],
    ["“”„‟″«»＂", '"'],
    ["‐‑‒–—―−﹣－", "-"],
    ["\t\u00a0\u1680\u202f\u205f\u3000\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", " "],
    ["\v\u0085\u2028\u2029", "\n"],
    ["\u00ad\u200b\u2060\ufeff", ""],
    ["…", "..."],
  ].flatMap(([characters, plain]) => [...characters].map((character) => [character, plain])),
);
const byGrapheme = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The text with curly quotes, dashes, ellipses and odd spaces as GSM-7 has them; letters and emoji stay. */
export function toGsm(text) {
  return Array.from(text.normalize("NFC"), (character) => TYPOGRAPHY.get(character) ?? character).join("");
}

/** What makes a text Unicode, each once and in order: what `toGsm` can replace, and what it cannot. */
export function culprits(text) {
  const foreign = new Set(Array.from(byGrapheme.segment(text), ({ segment }) => segment).filter((one) => !isGsm(one)));
  const [replaceable, others] = [[], []];
  for (const one of foreign) (isGsm(toGsm(one)) ? replaceable : others).push(one);
  return { replaceable, others };
}
