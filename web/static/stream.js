// What every chat surface needs of a browser: device storage, client ids, an outgoing queue that
// survives a reload, and a live line that survives the network. No DOM, no wording.

const memory = new Map(); // Where a browser forbids storage, things live as long as the page.
let box = null;
try { box = localStorage; box.getItem(""); } catch { box = null; }

/** JSON values on this device. */
export const keep = {
  get(key) { return JSON.parse(memory.get(key) ?? box?.getItem(key) ?? "null"); },
  set(key, value) {
    const text = JSON.stringify(value);
    try { box.setItem(key, text); memory.delete(key); } catch { memory.set(key, text); }
  },
  drop(key) { memory.delete(key); box?.removeItem(key); },
  keys(prefix) { return [...new Set([...Object.keys(box ?? {}), ...memory.keys()])].filter((k) => k.startsWith(prefix)).sort(); },
};

let lastTick = 0;
/** Unique, and in the order in which they were made; at most 64 characters. */
export function newId() {
  lastTick = Math.max(Date.now(), lastTick + 1);
  const random = crypto.getRandomValues(new Uint8Array(10));
  return `${lastTick.toString(36)}-${Array.from(random, (b) => b.toString(16).padStart(2, "0")).join("")}`;
}

/** An answer that is not 2xx. `retryAfter` is in seconds. */
export class Refusal extends Error {
  constructor(status, { code, message } = {}, retryAfter = 5) {
    super(message ?? `HTTP ${status}`);
    Object.assign(this, { status, code, retryAfter });
  }
}

/** fetch that throws a Refusal; a network failure stays a TypeError. */
export async function ask(url, options) {
  const response = await fetch(url, { cache: "no-store", ...options });
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Refusal(response.status, body.error, Number(response.headers.get("Retry-After")) || undefined);
}

/** Send JSON, get JSON, or give up after 15 s. */
export async function post(url, body, headers) {
  const options = { method: "POST", body: JSON.stringify(body), signal: AbortSignal.timeout(15e3) };
  const response = await ask(url, { ...options, headers: { "Content-Type": "application/json", ...headers } });
  return response.status === 204 ? {} : response.json();
}

const isFinal = ({ status }) => status >= 400 && status < 500 && ![401, 408, 429].includes(status);

/** Messages on their way: kept on the device until the stream shows them, sent one by one in order.
    Each item has a storage key of its own, so two tabs cannot overwrite one another. The client id
    makes a repeat harmless. send(item) -> Promise; onRefused(item, error) -> true to keep the item. */
export class Outbox {
  constructor(prefix, { send, onChange, onRefused }) {
    Object.assign(this, { prefix: prefix + "out:", send, onChange, onRefused, wait: 1e3 });
  }
  items() { return keep.keys(this.prefix).map(keep.get).filter(Boolean); }
  save(item) { keep.set(this.prefix + item.client_id, item); this.onChange(); }
  add(fields) { this.save({ client_id: newId(), at: new Date().toISOString(), ...fields }); this.flush(); }
  settle(id) { if (keep.get(this.prefix + id)) { keep.drop(this.prefix + id); this.onChange(); } }
  retry(item) { this.save({ ...item, failed: undefined }); this.flush(); }
  close() { this.closed = true; clearTimeout(this.timer); }
  async flush() {
    if (this.busy || this.closed) return;
    this.busy = true;
    clearTimeout(this.timer);
    try {
      for (let item; !this.closed && (item = this.items().find((i) => !i.sent && !i.failed)); ) {
        try {
          await this.send(item);
          if (!this.closed && keep.get(this.prefix + item.client_id)) this.save({ ...item, sent: true });
        } catch (error) {
          if (this.closed) return;
          const final = isFinal(error);
          if ((final || error.status === 429) && !this.onRefused(item, error)) this.settle(item.client_id);
          else if (final) this.save({ ...item, failed: true });
          if (final) continue;
          this.wait = error.status === 429 ? error.retryAfter * 1e3 : Math.min(this.wait * 2, 15e3);
          this.timer = setTimeout(() => this.flush(), this.wait);
          return;
        }
        this.wait = 1e3;
      }
    } finally { this.busy = false; }
  }
}

const SILENCE = 40e3; // The server says something every 15 s.

/** A live line: reads an event stream by fetch, and on any failure opens it again after `after`, the
    last id seen. open(after, signal) -> Promise<Response>; onEvent(name, data);
    onState(true | false, error). Ends only by close(). `background` keeps it up in a hidden tab. */
export class Line {
  constructor({ open, onEvent, onState, after = 0, background = false }) {
    Object.assign(this, { open, onEvent, onState, after, background, failures: 0 });
    const stop = this.stopped = new AbortController(), options = { signal: stop.signal };
    addEventListener("online", () => this.nudge(), options);
    addEventListener("offline", () => this.attempt?.abort(), options);
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.sleep);
      if (!document.hidden) this.nudge();
      else if (!background) this.sleep = setTimeout(() => this.attempt?.abort(), 60e3);
    }, options);
    this.run();
  }
  close() { this.stopped.abort(); this.attempt?.abort(); this.nudge(); clearTimeout(this.sleep); }
  /** Try now: the reader came back, or the network. */
  nudge() {
    if (performance.now() - this.heard > SILENCE / 2) this.attempt?.abort();
    this.failures = 0;
    this.wake?.();
  }
  async run() {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      const attempt = this.attempt = new AbortController();
      let error;
      try {
        this.listen(attempt);
        const response = await this.open(this.after, attempt.signal);
        if (!signal.aborted) this.onState(true);
        await this.read(response.body, attempt);
      } catch (problem) { error = problem; }
      clearTimeout(this.watch);
      if (signal.aborted) return;
      this.onState(false, error);
      const pause = Math.min(15e3, 400 * 2 ** this.failures++) * (.6 + .4 * Math.random());
      await new Promise((done) => {
        this.wake = done;
        if (this.background || !document.hidden) setTimeout(done, pause);
      });
    }
  }
  listen(attempt) {
    this.heard = performance.now();
    clearTimeout(this.watch);
    this.watch = setTimeout(() => attempt.abort(), SILENCE);
  }
  async read(body, attempt) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.listen(attempt);
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) this.take(block);
    }
  }
  take(block) {
    const field = (name) => block.split(/\r?\n/).filter((l) => l.startsWith(name + ":")).map((l) => l.slice(name.length + 1).trimStart()).join("\n");
    const data = field("data"), id = Number(field("id"));
    if (!data || this.stopped.signal.aborted) return;
    this.failures = 0;
    this.onEvent(field("event") || "message", JSON.parse(data));
    if (id > this.after) this.after = id;
  }
}
