// How many segments a text takes. The twin of contactcenter/lib/segments.py: a browser test compares the two.
const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const ESCAPED = new Set("\f^{}\\[~]|€");
const SINGLE = { "GSM-7": 160, "UCS-2": 70 };
const PART = { "GSM-7": 153, "UCS-2": 67 };

/** Whether a text goes out in the GSM 7-bit alphabet. */
export function isGsm(text) {
  return [...text].every((character) => BASIC.has(character) || ESCAPED.has(character));
}

/** Measures a text: its encoding, its units, its segments, and the room that is left in the last one. */
export function count(text) {
  const encoding = isGsm(text) ? "GSM-7" : "UCS-2";
  const widthOf = encoding === "GSM-7" ? (one) => 1 + ESCAPED.has(one) : (one) => one.length;
  const widths = Array.from(text, widthOf);
  const units = widths.reduce((sum, width) => sum + width, 0);
  if (units <= SINGLE[encoding]) return { encoding, units, segments: text ? 1 : 0, room: SINGLE[encoding] - units };
  let segments = 1;
  let room = PART[encoding];
  for (const width of widths) {
    if (width > room) {
      segments += 1;
      room = PART[encoding];
    }
    room -= width;
  }
  return { encoding, units, segments, room };
}
