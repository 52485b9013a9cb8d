// What every chat surface needs of a browser: device storage, client ids, an outgoing queue that
// survives a reload, and a live line that survives the network. No DOM, no wording.

let box = null; // Where a browser denies a frame its storage, things live in memory,
const memory = new Map(); // and the page around may keep a copy over a reload (see `keep.onMemory`).
try { box = localStorage; box.getItem(""); } catch { box = null; }
const inMemory = () => keep.onMemory?.(Object.fromEntries(memory));

/** JSON values on this device. */
export const keep = {
  get(key) { return JSON.parse(memory.get(key) ?? box?.getItem(key) ?? "null"); },
  set(key, value) {
    const text = JSON.stringify(value);
    try { box.setItem(key, text); } catch { memory.set(key, text); inMemory(); }
  },
  drop(key) { box?.removeItem(key); if (memory.delete(key)) inMemory(); },
  keys(prefix) { return [...Object.keys(box ?? {}), ...memory.keys()].filter((k) => k.startsWith(prefix)).sort(); },
  restore(kept) { if (!box) for (const key in kept) memory.set(key, kept[key]); },
};

let lastTick = 0;
/** Unique, and in the order in which they were made; at most 64 characters. */
export function newId() {
  lastTick = Math.max(Date.now(), lastTick + 1);
  const random = crypto.getRandomValues(new Uint8Array(10));
  return `${lastTick.toString(36)}-${Array.from(random, (b) => b.toString(16).padStart(2, "0")).join("")}`;
}

/** fetch that throws on any answer but 2xx: an Error with `status`, the server's `code` and `message`,
    and `retryAfter` in seconds. A network failure stays the TypeError that fetch throws. */
export async function ask(url, options) {
  const response = await fetch(url, { cache: "no-store", ...options });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  const retryAfter = Number(response.headers.get("Retry-After")) || 5;
  throw Object.assign(new Error(error?.message), { status: response.status, code: error?.code, retryAfter });
}

/** Send JSON, get JSON, or give up after 15 s. */
export async function post(url, body, headers) {
  const options = { method: "POST", body: JSON.stringify(body), signal: AbortSignal.timeout(15e3) };
  const response = await ask(url, { ...options, headers: { "Content-Type": "application/json", ...headers } });
  return response.status === 204 ? {} : response.json();
}

/** Messages on their way: kept on the device until the stream shows them, sent one by one in order.
    Each item has a storage key of its own, so two tabs cannot overwrite one another; its client id
    makes a repeat harmless. send(item) -> Promise. onProblem(item, error) hears of an item that the
    server refused for good, which is then gone from here, and of a 429, after which it is sent again.
    `failing` is true while the last attempt failed and another one is due. */
export class Outbox {
  constructor(prefix, { send, onChange, onProblem }) {
    Object.assign(this, { prefix: prefix + "out:", send, onChange, onProblem, failures: 0 });
  }
  get failing() { return this.failures > 0; }
  items() { return keep.keys(this.prefix).map(keep.get).filter(Boolean); }
  save(item) { keep.set(this.prefix + item.client_id, item); this.onChange(); }
  add(fields) { this.save({ client_id: newId(), ...fields }); this.flush(); }
  settle(id) { if (keep.get(this.prefix + id)) { keep.drop(this.prefix + id); this.onChange(); } }
  close() { this.closed = true; clearTimeout(this.timer); }
  async flush() {
    if (this.busy || this.closed) return;
    this.busy = true;
    clearTimeout(this.timer);
    for (let item; (item = this.items().find((i) => !i.sent)); ) {
      let problem;
      try { await this.send(item); } catch (error) { problem = error; }
      if (this.closed) return;
      const { status, retryAfter } = problem ?? {};
      const refused = status >= 400 && status < 500 && ![401, 408, 429].includes(status);
      if (refused || status === 429) this.onProblem(item, problem);
      if (problem && !refused) {
        this.failures++;
        this.timer = setTimeout(() => this.flush(), retryAfter && status === 429 ? retryAfter * 1e3 : Math.min(1e3 * 2 ** this.failures, 15e3));
        break;
      }
      this.failures = 0;
      if (refused) this.settle(item.client_id);
      else if (keep.get(this.prefix + item.client_id)) this.save({ ...item, sent: true }); // Unless the stream was quicker.
    }
    this.busy = false;
    this.onChange();
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
