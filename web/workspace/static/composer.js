/* The reply. It is kept on the device with each key and on the server a moment later, so that neither a
   reload nor a restart costs a word; and its client id goes with its text, so that nothing doubles. */
import { keep, newId } from "/static/stream.js";
import { read, write } from "/static/staff/http.js";
import { $ } from "/static/workspace/dom.js";

const SAVE_AFTER = 500;
const RETRY_AFTER = 3000;
const TYPING_EVERY = 2500;

export class Composer {
  constructor(conversationId, { lastSeen, onMissed, onSaid, onLost }) {
    Object.assign(this, { lastSeen, onMissed, onSaid, onLost });
    this.api = `/workspace/api/conversations/${conversationId}`;
    this.key = `rapport.draft.${conversationId}`;
    this.field = $("#reply");
    this.field.value = keep.get(this.key)?.text ?? "";
    this.problem("");
    this.state("");
    this.stop = new AbortController();
    const { signal } = this.stop;
    this.field.addEventListener("input", () => this.typed(), { signal });
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.send();
    }, { signal });
    $("#composer").addEventListener("submit", (event) => { event.preventDefault(); this.send(); }, { signal });
    addEventListener("pagehide", () => this.save({ keepalive: true }), { signal });
    addEventListener("rapport:leaving", (event) => event.detail.wait(this.save()), { signal });
    addEventListener("online", () => this.save(), { signal });
    this.fit();
    this.recover();
  }

  close() {
    this.stop.abort();
    clearTimeout(this.timer);
    this.save();
  }

  focus() { this.field.focus(); this.field.setSelectionRange(this.field.value.length, this.field.value.length); }

  /** Another device may have written here; what this device has not saved yet goes first. */
  async recover() {
    const own = keep.get(this.key);
    if (own?.unsaved) return void this.save();
    try {
      const { text } = await read(`${this.api}/draft`);
      const untouched = !this.stop.signal.aborted && this.field.value === (own?.text ?? "");
      if (!untouched || text === this.field.value) return;
      this.field.value = text;
      this.remember({ text, unsaved: false });
      if (text) this.state("Draft restored");
      this.fit();
    } catch (problem) {
      if (problem.status) this.problem(problem.message);
    }
  }

  typed() {
    const text = this.field.value;
    this.remember({ text, unsaved: true });
    this.state("");
    this.fit();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), SAVE_AFTER);
    if (text && performance.now() - (this.told ?? -Infinity) > TYPING_EVERY) {
      this.told = performance.now();
      write(`${this.api}/typing`).catch(() => { this.told = 0; });
    }
  }

  remember(changes) { keep.set(this.key, { ...keep.get(this.key), ...changes }); }

  async save({ keepalive = false } = {}) {
    const kept = keep.get(this.key);
    clearTimeout(this.timer);
    if (!kept?.unsaved) return;
    try {
      await write(`${this.api}/draft`, { text: kept.text }, { keepalive });
      if (keep.get(this.key)?.text === kept.text) this.remember({ unsaved: false });
      if (!this.stop.signal.aborted && kept.text) this.state("Draft saved");
    } catch (problem) {
      if (this.stop.signal.aborted) return;
      if (problem.code === "not_the_owner") return this.onLost();
      this.state("Draft kept on this device");
      this.timer = setTimeout(() => this.save(), RETRY_AFTER);
    }
  }

  async send() {
    const text = this.field.value.trim();
    if (!text || this.sending) return;
    const before = keep.get(this.key);
    const client_id = before?.sent?.text === text ? before.sent.client_id : newId();
    this.remember({ text: this.field.value, sent: { client_id, text } });
    this.problem("");
    this.sending = true;
    $("#send").disabled = true;
    this.field.readOnly = true;
    clearTimeout(this.timer);
    try {
      const { message } = await write(`${this.api}/messages`, { client_id, text, last_seen_seq: this.lastSeen() });
      this.done();
      this.onSaid({ ...message, mine: true });
    } catch (problem) {
      if (problem.code === "stale_reply") this.onMissed(problem.body.missed);
      if (problem.code === "not_the_owner") this.onLost();
      this.problem(problem.message);
      this.typed();
    } finally {
      this.sending = false;
      $("#send").disabled = false;
      this.field.readOnly = false;
      if (!this.stop.signal.aborted) this.field.focus();
    }
  }

  /** The stream shows a message that this device sent, though the answer to sending it was lost. */
  arrived(messages) {
    const sent = keep.get(this.key)?.sent;
    if (!sent || this.sending || !messages.some((message) => message.client_id === sent.client_id)) return;
    if (this.field.value.trim() === sent.text) this.done();
    else this.remember({ sent: null });
  }

  done() {
    clearTimeout(this.timer);
    keep.drop(this.key);
    this.field.value = "";
    this.problem("");
    this.state("");
    this.fit();
  }

  state(words) { $("#draft-state").textContent = words; }

  problem(words) {
    const place = $("#problem");
    place.hidden = !words;
    place.className = "note warn composer__problem";
    place.textContent = words;
  }

  /** As tall as its text, within limits; the page does not jump because the thread gives the room. */
  fit() {
    this.field.rows = Math.min(8, Math.max(2, this.field.value.split("\n").length));
  }
}
