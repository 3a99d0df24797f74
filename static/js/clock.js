// The center's wall clock. Its times are Dates whose UTC fields hold the wall time: the browser's own zone has no say.
const language = document.documentElement.lang || undefined;
const TIME = { hour: "numeric", minute: "2-digit", timeZone: "UTC" };
const ofToday = new Intl.DateTimeFormat(language, TIME);
const ofThisWeek = new Intl.DateTimeFormat(language, { weekday: "short", ...TIME });
const ofAnyDay = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", ...TIME });
const DAY_MS = 24 * 60 * 60 * 1000;

export class Clock {
  #ahead;

  /** `now`: the center's local time when the page was made, ISO without a zone. */
  constructor(now) {
    this.#ahead = Date.parse(`${now}Z`) - Date.now();
  }

  now() {
    return this.at(Date.now());
  }

  at(epochMs) {
    return new Date(epochMs + this.#ahead);
  }

  /** "9:41 AM" today, "Tue 8:00 AM" within six days, else "Dec 1, 8:00 AM". */
  words(wall) {
    const days = Math.abs(dayOf(wall) - dayOf(this.now())) / DAY_MS;
    return (days === 0 ? ofToday : days < 7 ? ofThisWeek : ofAnyDay).format(wall);
  }

  time(wall) {
    return ofToday.format(wall);
  }
}

const dayOf = (wall) => Math.floor(wall.getTime() / DAY_MS) * DAY_MS;

/** As a datetime-local field has it: "2026-11-24T08:00". */
export const fieldValue = (wall) => wall.toISOString().slice(0, 16);
export const fromField = (value) => new Date(`${value}Z`);

/** The usual times to send later, in order; those that have passed or that two names would fit are left out. */
export function presets(now) {
  const on = (days, hour) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + days, hour));
  const daysToMonday = (8 - now.getUTCDay()) % 7 || 7;
  const found = { hour: new Date(now.getTime() + 60 * 60 * 1000), evening: on(0, 18), tomorrow: on(1, 8) };
  if (found.evening <= now) delete found.evening;
  if (daysToMonday > 1) found.monday = on(daysToMonday, 8);
  return found;
}
