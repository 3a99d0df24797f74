// One WebSocket that carries hints. Whenever it may have missed some (connect, wake, gap, every 30 seconds) it subscribes,
// awaits the confirmation and only then has everything fetched: in that order, nothing falls in between.
const CATCH_UP_MS = 30_000;
const CONFIRM_MS = 5_000;
const MAX_DELAY_MS = 15_000;
const SIGNED_OUT = 4401;

export class LiveSocket {
  #socket = null;
  #failures = 0;
  #retry = 0;
  #confirming = 0;
  #isActive = true; // or the page would not be there

  constructor({ topics, open, onSignals, onCatchUp, onState, onCompany }) {
    Object.assign(this, { topics, open, onSignals, onCatchUp, onState, onCompany });
    setInterval(() => this.#catchUp(), CATCH_UP_MS);
    for (const event of ["keydown", "pointerdown", "wheel"]) addEventListener(event, () => (this.#isActive = true), { capture: true, passive: true });
    addEventListener("online", () => this.#wake());
    addEventListener("offline", () => this.#socket?.close());
    addEventListener("pageshow", ({ persisted }) => persisted && this.#wake());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#wake());
  }

  connect() {
    clearTimeout(this.#retry);
    this.#retry = 0;
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws/`);
    this.#socket = socket;
    this.#await(socket);
    socket.onopen = () => this.#subscribe();
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.#socket && this.#lost(code);
  }

  #hear(message) {
    if (message.type === "subscribed") {
      clearTimeout(this.#confirming);
      this.#confirming = 0;
      this.#failures = 0;
      this.onState("live");
      this.onCatchUp();
    } else if (message.type === "company") this.onCompany(message);
    else if (message.type === "signals") this.onSignals(message.signals);
    else if (message.type === "resync") this.onCatchUp();
  }

  /** Tells colleagues what one is doing here; lost where there is no socket. */
  say(doing) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ doing }));
  }

  #wake() {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#subscribe();
    else if (this.#socket?.readyState !== WebSocket.CONNECTING) this.connect();
  }

  // Also without a socket: a network that lets none through still gets a page that is half a minute old at most.
  #catchUp() {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#subscribe();
    else this.onCatchUp();
  }

  #subscribe() {
    this.#socket.send(JSON.stringify({ subscribe: this.topics, open: this.open, active: this.#isActive, seen: document.visibilityState === "visible" }));
    this.#isActive = false;
    this.#await(this.#socket);
  }

  // A socket that does not answer in time is dead, whatever the browser believes: a sleeping laptop's is.
  #await(socket) {
    clearTimeout(this.#confirming);
    this.#confirming = setTimeout(() => {
      if (socket !== this.#socket) return;
      socket.onclose = null;
      socket.close();
      this.#lost();
    }, CONFIRM_MS);
  }

  #lost(code) {
    clearTimeout(this.#confirming);
    this.#socket = null;
    if (code === SIGNED_OUT) {
      location.reload();
      return;
    }
    this.onState("lost");
    const delay = Math.min(MAX_DELAY_MS, 250 * 2 ** this.#failures++) * (0.5 + Math.random());
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.connect(), delay);
  }
}
