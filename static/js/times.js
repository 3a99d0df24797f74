// Keeps ages and deadlines current, in the server's words (conversations/wording.py has the same forms).
const MINUTE = 60;
const DUE_SOON = 10 * MINUTE;
const CLOCK = { hour: "numeric", minute: "2-digit" };
const words = JSON.parse(document.body.dataset.ageWords ?? "{}");

const fill = (form, values) => form.replace(/%\((\w+)\)s/g, (_, name) => values[name]);

function age(seconds) {
  const minutes = Math.floor(Math.abs(seconds) / MINUTE);
  if (minutes < 1) return words.now;
  if (minutes < 60) return fill(words.minutes, { n: minutes });
  if (minutes < 60 * 24) return fill(words.hours, { n: Math.floor(minutes / 60) });
  return fill(words.days, { n: Math.floor(minutes / (60 * 24)) });
}

export function label(form, seconds) {
  if (form === "age") return age(seconds);
  if (form === "leaves") return seconds < 0 ? fill(words.leaves, { n: Math.ceil(-seconds) }) : words.leaving;
  if (form === "ago") return Math.abs(seconds) < MINUTE ? words.just_now : fill(words.ago, { age: age(seconds) });
  if (Math.abs(seconds) < MINUTE) return words.due;
  return fill(seconds < 0 ? words.left : words.over, { age: age(seconds) });
}

export function labelTimes(root = document) {
  for (const time of root.querySelectorAll("time[data-form]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const text = label(time.dataset.form, seconds);
    if (time.textContent !== text) time.textContent = text;
    const pill = time.closest("[data-due]");
    pill?.classList.toggle("pill--bad", seconds > 0);
    pill?.classList.toggle("pill--warn", seconds <= 0 && -seconds <= DUE_SOON);
  }
  for (const clock of root.querySelectorAll("time[data-zone]")) {
    const text = timeIn(clock.dataset.zone);
    if (text && clock.textContent !== text) clock.textContent = text;
  }
}

// Nothing for a zone that is younger than this browser.
function timeIn(timeZone) {
  try {
    return new Date().toLocaleTimeString(document.documentElement.lang, { ...CLOCK, timeZone });
  } catch {
    return "";
  }
}

// What can be taken back for a few seconds more.
function countDown() {
  if (document.querySelector("time[data-form=leaves]")) labelTimes(document.getElementById("messages"));
}

export function keepTimesCurrent() {
  labelTimes();
  setInterval(() => labelTimes(), 15_000);
  setInterval(countDown, 1000);
}
