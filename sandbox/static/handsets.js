// Draws the handsets from /sandbox/api/handsets once a second. Only what changed is touched, so that typing,
// focus and scroll position stay as they are.

const byId = (id) => document.getElementById(id);
const STATES = { waiting: "Sending", accepted: "Delivered", retrying: "Retrying", dropped: "Refused" };
const KINDS = { "10dlc": "10DLC", toll_free: "toll-free", short_code: "short code" };
const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const phones = new Map();
let etag = "";
let kinds = [];

function pretty(number) {
  const us = /^1(\d{3})(\d{3})(\d{4})$/.exec(number);
  if (us) return `+1 (${us[1]}) ${us[2]}-${us[3]}`;
  return number.length > 6 ? `+${number}` : number;
}

async function post(path, body) {
  const answer = await fetch(`api/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.error ?? `The sandbox answered ${answer.status}.`);
  return told;
}

async function attempt(errorLine, action) {
  errorLine.hidden = true;
  try {
    await action();
    await refresh();
    return true;
  } catch (error) {
    errorLine.textContent = error instanceof TypeError ? "The sandbox cannot be reached. Nothing was sent." : error.message;
    errorLine.hidden = false;
    return false;
  }
}

function setOptions(select, options) {
  const key = JSON.stringify(options);
  if (select.dataset.key === key) return;
  const chosen = select.value;
  select.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
  select.dataset.key = key;
}

function makePhone(number) {
  const root = byId("phone").content.firstElementChild.cloneNode(true);
  const form = root.querySelector("form");
  const box = form.elements.text;
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = box.value;
    if (!text.trim() || form.dataset.busy) return;
    form.dataset.busy = "yes";
    box.value = "";
    const sent = await attempt(form.querySelector(".error"), () => post("inbound", { from: number, to: form.elements.line.value, text }));
    if (!sent) box.value = text + box.value;
    delete form.dataset.busy;
    box.focus();
  });
  byId("phones").append(root);
  const phone = { root, form, box, items: new Map() };
  phones.set(number, phone);
  return phone;
}

function makeItem(text) {
  const item = document.createElement("li");
  item.className = `msg msg--${text.side}`;
  const bubble = document.createElement("p");
  bubble.className = "bub";
  bubble.textContent = text.text;
  const meta = document.createElement("p");
  meta.className = "meta";
  item.append(bubble, meta);
  return item;
}

function drawMeta(item, text) {
  const key = `${text.state}`;
  if (item.dataset.key === key) return;
  item.dataset.key = key;
  const time = document.createElement("time");
  time.dateTime = text.at;
  time.textContent = clock.format(new Date(text.at));
  const direction = text.side === "customer" ? "to" : "from";
  const meta = item.lastElementChild;
  meta.replaceChildren(time, ` · ${direction} ${pretty(text.line)}`);
  if (text.state) {
    const state = document.createElement("span");
    state.dataset.state = text.state;
    state.textContent = STATES[text.state];
    meta.append(" · ", state);
  }
}

function drawPhone(handset, lines) {
  const phone = phones.get(handset.number) ?? makePhone(handset.number);
  const { root, form, items } = phone;
  const thread = root.querySelector(".thread");
  root.querySelector("h2").textContent = handset.name;
  root.querySelector(".who p").textContent = pretty(handset.number);
  root.querySelector(".av").textContent = handset.name.split(/\s+/).slice(0, 2).map((word) => [...word][0]).join("").toUpperCase();
  root.setAttribute("aria-label", `${handset.name}'s phone`);
  thread.setAttribute("aria-label", `Texts on ${handset.name}'s phone`);
  phone.box.setAttribute("aria-label", `Text from ${handset.name}`);
  const blocked = root.querySelector(".blocked");
  blocked.hidden = !handset.opted_out.length;
  blocked.textContent = "Opted out";
  blocked.title = `The carrier blocks ${handset.opted_out.map(pretty).join(", ")}`;
  setOptions(form.elements.line, lines.map(({ number, kind }) => [number, `${pretty(number)} · ${KINDS[kind]}${handset.opted_out.includes(number) ? " · blocked" : ""}`]));
  const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
  const present = new Set(handset.texts.map((text) => text.id));
  let added = false;
  for (const [id, item] of items) {
    if (!present.has(id)) { item.remove(); items.delete(id); }
  }
  for (const text of handset.texts) {
    let item = items.get(text.id);
    if (!item) {
      item = makeItem(text);
      items.set(text.id, item);
      thread.append(item);
      added = true;
    }
    drawMeta(item, text);
  }
  if (added && atEnd) thread.scrollTop = thread.scrollHeight;
}

function drawFaults(picture) {
  kinds = picture.faults.kinds;
  const on = picture.faults.active;
  byId("fault-count").textContent = on.length ? `${on.length} on` : "none on";
  byId("fault-count").classList.toggle("pill--warn", on.length > 0);
  const form = byId("switch");
  setOptions(form.elements.kind, kinds.map(({ name, label }) => [name, label]));
  setOptions(form.elements.to, [["", "any handset"], ...picture.handsets.map(({ number, name }) => [number, name])]);
  if (!form.dataset.ready) { form.dataset.ready = "yes"; drawValue(); }
  const key = JSON.stringify(on);
  if (byId("active").dataset.key !== key) {
    byId("active").dataset.key = key;
    byId("active").replaceChildren(...on.map(activeRow));
  }
  const settings = byId("settings");
  if (!settings.contains(document.activeElement)) {
    settings.elements.rate.value = picture.settings.rate;
    settings.elements.opt_out_assist.checked = picture.settings.opt_out_assist;
  }
  const hooks = picture.webhooks;
  byId("figures").textContent = `${picture.requests} API requests, ceiling hit ${picture.ceiling_hits} times. Webhooks: ${hooks.accepted ?? 0} taken, ${hooks.retrying ?? 0} being retried, ${hooks.dropped ?? 0} refused.`;
}

function activeRow(fault) {
  const kind = kinds.find(({ name }) => name === fault.kind);
  const row = document.createElement("li");
  const value = kind.unit ? ` (${fault.value} ${kind.unit})` : "";
  const times = fault.times === null ? "" : `, ${fault.times} more`;
  const to = fault.to === null ? "" : `, to ${pretty(fault.to)}`;
  const off = document.createElement("button");
  off.type = "button";
  off.className = "btn";
  off.textContent = "Switch off";
  off.setAttribute("aria-label", `Switch off: ${kind.label}`);
  off.addEventListener("click", () => attempt(byId("faults").querySelector(".error"), () => post("faults", { kind: fault.kind, on: false })));
  row.append(`${kind.label}${value}${times}${to}`, off);
  return row;
}

function drawValue() {
  const form = byId("switch");
  const kind = kinds.find(({ name }) => name === form.elements.kind.value);
  const label = form.querySelector(".value");
  label.hidden = !kind?.unit;
  if (!kind?.unit) return;
  label.firstElementChild.textContent = kind.unit[0].toUpperCase() + kind.unit.slice(1);
  form.elements.value.value = kind.default;
}

async function refresh() {
  const answer = await fetch("api/handsets", { cache: "no-store", headers: etag ? { "If-None-Match": etag } : {} });
  if (answer.status === 304) return;
  if (!answer.ok) throw new TypeError(`${answer.status}`);
  etag = answer.headers.get("ETag") ?? "";
  const picture = await answer.json();
  const known = new Set(picture.handsets.map(({ number }) => number));
  for (const [number, phone] of phones) {
    if (!known.has(number)) { phone.root.remove(); phones.delete(number); }
  }
  for (const handset of picture.handsets) drawPhone(handset, picture.lines);
  drawFaults(picture);
}

async function poll() {
  const live = byId("live");
  let on = true;
  try { await refresh(); } catch { on = false; }
  const words = on ? "Live" : "The sandbox cannot be reached, trying again";
  if (live.textContent !== words) { live.textContent = words; live.dataset.on = on ? "yes" : "no"; }
  setTimeout(poll, 1000);
}

byId("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const { number, name } = form.elements;
  const added = await attempt(form.querySelector(".error"), () => post("handsets", { number: number.value, name: name.value }));
  if (added) form.reset();
});
byId("rent").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const { number, kind } = form.elements;
  const rented = await attempt(form.querySelector(".error"), () => post("lines", { number: number.value, kind: kind.value }));
  if (rented) form.reset();
});
byId("switch").elements.kind.addEventListener("change", drawValue);
byId("switch").addEventListener("submit", (event) => {
  event.preventDefault();
  const { kind, value, times, to } = event.currentTarget.elements;
  const unit = kinds.find(({ name }) => name === kind.value)?.unit;
  attempt(byId("faults").querySelector(".error"), () => post("faults", {
    kind: kind.value,
    value: unit && value.value !== "" ? Number(value.value) : null,
    times: times.value ? Number(times.value) : null,
    to: to.value || null,
  }));
});
byId("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  const { rate, opt_out_assist } = event.currentTarget.elements;
  document.activeElement.blur();
  attempt(byId("faults").querySelector(".error"), () => post("settings", { rate: Number(rate.value), opt_out_assist: opt_out_assist.checked }));
});
byId("reset").addEventListener("click", () => attempt(byId("faults").querySelector(".error"), () => post("reset", {})));
poll();
