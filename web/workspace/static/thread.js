/* The middle pane: the live conversation, with who is speaking always said. */
import { Line, ask } from "/static/stream.js";
import { h, $ } from "/static/workspace/dom.js";
import { initials, longDay, sameDay, time } from "/static/workspace/format.js";

const TYPING_LASTS = 4000;
const GROUP_WITHIN = 5 * 60_000;

export class Thread {
  constructor(conversationId, { onOwner, onMessages, onState, onEnded }) {
    this.messages = new Map();
    this.onMessages = onMessages;
    this.place = $("#thread");
    this.place.replaceChildren(h("p.thread__wait", {}, "Reading the conversation"));
    this.place.hidden = false;
    this.place.onscroll = () => { if (this.atEnd()) $("#newer").hidden = true; };
    $("#newer").onclick = () => this.toEnd();
    this.line = new Line({
      background: true,
      open: (after, signal) => ask(`/workspace/api/conversations/${conversationId}/stream?after=${after}`, { signal, headers: { "X-Background": "1" } }),
      onState,
      onEvent: (name, data) => {
        if (name === "message") this.take([data]);
        if (name === "owner") onOwner(data);
        if (name === "typing") this.typing(data);
        if (name === "ended") onEnded();
      },
    });
  }

  /** The customer's name, once he is verified. */
  name(customer) {
    if (this.customer === customer) return;
    this.customer = customer;
    if (this.messages.size) this.render();
  }

  get lastSeq() { return Math.max(0, ...this.messages.keys()); }

  close() {
    this.line.close();
    clearTimeout(this.quiet);
    $("#typing").hidden = true;
    $("#newer").hidden = true;
  }

  /** Add messages that are not there yet; the sequence number tells. */
  take(messages, { missed = false } = {}) {
    const fresh = messages.filter((message) => !this.messages.has(message.seq));
    for (const message of messages) this.messages.set(message.seq, { ...this.messages.get(message.seq), ...message, missed: missed || this.messages.get(message.seq)?.missed });
    if (!fresh.length && !missed) return;
    if (fresh.some((message) => message.sender !== "system")) $("#typing").hidden = true;
    const wasAtEnd = this.atEnd();
    this.render();
    if (wasAtEnd || fresh.some((message) => message.mine)) this.toEnd();
    else $("#newer").hidden = false;
    this.onMessages(fresh);
  }

  typing({ who, name }) {
    const place = $("#typing");
    place.textContent = who === "bot" ? "The assistant is answering" : "The customer is typing";
    place.hidden = false;
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => { place.hidden = true; }, TYPING_LASTS);
  }

  atEnd() { return this.place.scrollHeight - this.place.scrollTop - this.place.clientHeight < 80; }
  toEnd() { this.place.scrollTop = this.place.scrollHeight; $("#newer").hidden = true; }

  // Drawn at most once a frame: a long history arrives as hundreds of events.
  render() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      const end = this.atEnd() || !this.drawn;
      this.place.replaceChildren(...drawAll([...this.messages.values()].sort((a, b) => a.seq - b.seq), this.customer || "Customer"));
      this.drawn = true;
      if (end) this.toEnd();
    });
  }
}

function drawAll(messages, customer) {
  const drawn = [];
  let before = null;
  for (const message of messages) {
    if (!before || !sameDay(before.at, message.at)) drawn.push(h("p.thread__day", {}, longDay(message.at)));
    drawn.push(message.sender === "system" ? mark(message) : bubble(message, before, customer));
    before = message;
  }
  return drawn;
}

function mark(message) {
  return h("p.mark", { "data-seq": message.seq }, h("span", {}, message.text), h("time", { datetime: message.at }, time(message.at)));
}

const SPEAKERS = { customer: "Customer", bot: "Assistant", account_manager: "Person" };

function bubble(message, before, customer) {
  const grouped = before && before.sender === message.sender && before.name === message.name && new Date(message.at) - new Date(before.at) < GROUP_WITHIN;
  const name = message.sender === "customer" ? customer : message.name;
  const label = message.sender === "bot" ? "assistant" : message.sender === "account_manager" ? "person" : customer === "Customer" ? "" : "customer";
  return h(`article.say.say--${message.sender}${grouped ? ".say--grouped" : ""}${message.missed ? ".say--missed" : ""}`, { "data-seq": message.seq, "aria-label": `${SPEAKERS[message.sender]} ${name}` },
    !grouped && h("header.say__who", {},
      h(`span.avatar.${message.sender === "account_manager" ? "person" : message.sender}`, { "aria-hidden": "true" }, message.sender === "bot" ? "A" : initials(name)),
      h("b", {}, name), label && h("span.say__kind", {}, label), h("time", { datetime: message.at }, time(message.at))),
    h("p.say__text", {}, message.text),
    message.buttons.length > 0 && h("p.say__choices", {}, message.buttons.map((button) => h("span.choice", {}, button.title))),
    message.state === "dropped" && message.sender === "customer" && h("p.say__note", {}, "The assistant did not answer this."),
  );
}
