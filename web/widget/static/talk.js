// Draws the conversation. Whatever somebody wrote becomes text nodes, never markup.

export const $ = (id) => document.getElementById(id);
const make = (tag, className, text = "", properties = {}) => {
  const element = Object.assign(document.createElement(tag), { className, ...properties });
  element.append(text);
  return element;
};

const { lang } = document.documentElement, DAY = 864e5;
// The visitor's own way of writing times, as long as it is the page's language (12:30 or 12:30 PM).
const locale = navigator.languages.find((l) => l.startsWith(lang)) ?? lang;
const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
const calendar = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const midnight = (time) => new Date(time).setHours(0, 0, 0, 0);
function dayName(time) {
  const ago = Math.round((midnight(time) - midnight(Date.now())) / DAY);
  const name = ago > -2 ? relative.format(ago, "day") : calendar.format(time);
  return name[0].toUpperCase() + name.slice(1);
}

/** Text with its web addresses as links that tell their target nothing about this page. */
function linked(text) {
  const bubble = make("p", "text", "", { dir: "auto" });
  for (const part of text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}'])/i)) {
    const link = { href: part, target: "_blank", rel: "noopener noreferrer nofollow" };
    bubble.append(/^https?:\/\//i.test(part) ? make("a", "", part, link) : part);
  }
  return bubble;
}

export class Talk {
  constructor(words, { onPress, onRetry }) {
    Object.assign(this, { words, onPress, onRetry, log: $("log"), scroll: $("scroll") });
    $("new").onclick = () => this.toEnd();
    this.scroll.onscroll = () => { if (this.atEnd()) $("new").hidden = true; };
    new ResizeObserver(() => { if (this.stuck) this.toEnd(); }).observe(this.scroll);
  }
  clear() {
    this.last = null;
    this.log.replaceChildren();
    this.typing();
    this.toEnd();
  }
  atEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroll;
    return this.stuck = scrollHeight - scrollTop - clientHeight < 48;
  }
  toEnd() {
    this.stuck = true;
    this.scroll.scrollTop = this.scroll.scrollHeight;
    $("new").hidden = true;
  }
  /** Draw without pulling a reader who has scrolled up. */
  drawing(draw, follow, counts) {
    follow ||= this.atEnd();
    draw();
    if (follow) this.toEnd();
    else if (counts) $("new").hidden = false;
  }

  show(message) {
    const own = message.sender === "customer", at = new Date(message.at), { last } = this;
    const newDay = !last || midnight(last.at) !== midnight(at);
    const next = !newDay && last.sender === message.sender && last.name === message.name && at - last.at < 3e5;
    this.last = { ...message, at };
    this.drawing(() => {
      if (newDay) this.log.append(make("p", "day", dayName(at)));
      if (own) this.log.querySelectorAll(".state").forEach((state) => state.remove());
      if (message.sender !== "system") this.retire();
      this.log.append(this.element(message, at, next));
      if (!own) this.typing();
    }, false, !own);
  }
  element({ sender, name, text, buttons }, at, next) {
    if (sender === "system") return make("p", "day", text);
    const own = sender === "customer", kind = own ? "own" : sender === "bot" ? "bot" : "person";
    const item = make("div", `message ${kind}${next ? " next" : ""}`), by = make("p", "by");
    by.append(make("b", "", own ? this.words.you : name), " ", make("time", "", clock.format(at)));
    item.append(by, linked(text));
    if (own) item.append(make("p", "state", this.words.sent));
    if (buttons.length) item.append(this.choices(buttons));
    return item;
  }
  choices(buttons) {
    const group = make("div", "choices", "", { role: "group", ariaLabel: this.words.choose });
    for (const { id, title } of buttons) group.append(make("button", "", title, { onclick: () => this.onPress(id, title) }));
    return group;
  }
  /** Only the newest choices are open. */
  retire() { for (const button of this.log.querySelectorAll(".choices button")) button.disabled = true; }

  /** What is on its way, below what has arrived. */
  pending(items, online, failing) {
    const draw = (item) => {
      const element = make("div", "message own next"), state = item.sent ? "sent" : !online ? "kept" : failing ? "failed" : "sending";
      element.append(linked(item.text), make("p", "state", this.words[state]));
      if (state === "failed") element.lastChild.append(" ", make("button", "", this.words.retry, { onclick: this.onRetry }));
      return element;
    };
    this.drawing(() => $("pending").replaceChildren(...items.map(draw)));
    if (items.length) this.retire();
  }
  typing(name) {
    clearTimeout(this.timer);
    this.drawing(() => {
      $("typing").hidden = !name;
      $("typing").lastChild.textContent = name && this.words.typing.replace("{name}", name);
    });
    if (name) this.timer = setTimeout(() => this.typing(), 8e3);
  }
}
