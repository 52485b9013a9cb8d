// Draws the conversation. Whatever somebody wrote becomes text nodes, never markup.

export const $ = (id) => document.getElementById(id);
/** An element with a class, text and attributes. */
export function make(tag, className, text = "", attributes = {}) {
  const element = Object.assign(document.createElement(tag), { className, ...attributes });
  element.append(text);
  return element;
}

const language = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const calendar = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const midnight = (time) => new Date(time).setHours(0, 0, 0, 0);
function dayName(time) {
  const ago = Math.round((midnight(time) - midnight(Date.now())) / 864e5);
  const name = ago > -2 ? relative.format(ago, "day") : calendar.format(time);
  return name[0].toLocaleUpperCase(language) + name.slice(1);
}

/** Text with its web addresses as links that tell the target nothing and carry no power. */
function linked(text, hint) {
  const bubble = make("p", "text", "", { dir: "auto" });
  for (const part of text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}'])/i)) {
    if (!/^https?:\/\//i.test(part)) bubble.append(part);
    else bubble.append(make("a", "", part, { href: part, title: hint, target: "_blank", rel: "noopener noreferrer nofollow" }));
  }
  return bubble;
}

export class Talk {
  constructor(words, { onPress, onRetry }) {
    Object.assign(this, { words, onPress, onRetry, log: $("log"), scroll: $("scroll") });
    $("new").onclick = () => this.toEnd();
    this.scroll.onscroll = () => { if (this.atEnd()) $("new").hidden = true; };
    new ResizeObserver(() => { if (this.stuck) this.toEnd(); }).observe(this.scroll);
    this.clear();
  }
  clear() {
    this.last = null;
    this.stuck = true;
    this.log.replaceChildren();
    $("pending").replaceChildren();
    $("new").hidden = $("typing").hidden = true;
  }
  atEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroll;
    return (this.stuck = scrollHeight - scrollTop - clientHeight < 48);
  }
  toEnd() { this.scroll.scrollTop = this.scroll.scrollHeight; $("new").hidden = true; }
  /** Draw without pulling a reader who has scrolled up; `own` words always come into view. */
  drawing(draw, own, counts) {
    const follow = this.atEnd() || own;
    draw();
    if (follow) this.toEnd();
    else if (counts) $("new").hidden = false;
  }

  show(message) {
    const own = message.sender === "customer", at = new Date(message.at), last = this.last;
    this.drawing(() => {
      if (!last || midnight(last.at) !== midnight(at)) this.log.append(make("p", "day", dayName(at)));
      const sameBreath = last?.sender === message.sender && last.name === message.name && at - last.at < 3e5 && midnight(last.at) === midnight(at);
      this.log.append(this.element(message, at, sameBreath));
      if (own) this.retire();
      if (!own) this.typing();
      this.last = { ...message, at };
    }, false, !own);
  }
  element({ sender, name, text, buttons = [] }, at, sameBreath) {
    if (sender === "system") return make("p", "mark-line", text);
    const kind = { customer: "own", bot: "bot" }[sender] ?? "person";
    const item = make("div", `message ${kind}${sameBreath ? " next" : ""}`);
    const by = make("p", "by", make("b", "", kind === "own" ? this.words.you : name));
    by.append(" ", make("time", "", clock.format(at), { dateTime: at.toISOString() }));
    item.append(by, linked(text, this.words.link));
    if (kind === "own") {
      this.log.querySelectorAll(".state").forEach((state) => state.remove());
      item.append(make("p", "state", this.words.sent));
    } else this.retire();
    if (buttons.length) {
      const group = item.appendChild(make("div", "choices", "", { role: "group", ariaLabel: this.words.choose }));
      for (const { id, title } of buttons) group.append(make("button", "", title, { type: "button", onclick: () => this.onPress(id, title) }));
    }
    return item;
  }
  /** Only the newest choices are open. */
  retire() { this.log.querySelectorAll(".choices button").forEach((button) => { button.disabled = true; }); }

  /** What is on its way, below what has arrived. */
  pending(items, online) {
    const more = items.length > $("pending").childElementCount;
    this.drawing(() => $("pending").replaceChildren(...items.map((item) => {
      if (item.person) return make("p", "mark-line", this.words.asking);
      const element = make("div", "message own next");
      element.append(linked(item.text, ""));
      const state = element.appendChild(make("p", "state", this.words[item.failed ? "failed" : item.sent ? "sent" : online ? "sending" : "kept"]));
      if (item.failed) state.append(" ", make("button", "", this.words.retry, { type: "button", onclick: () => this.onRetry(item) }));
      return element;
    })), more);
    if (items.some((item) => item.button_id)) this.retire();
  }
  typing(name) {
    clearTimeout(this.timer);
    this.drawing(() => { $("typing").hidden = !name; });
    if (!name) return;
    $("typing").lastChild.textContent = this.words.typing.replace("{name}", name);
    this.timer = setTimeout(() => this.typing(), 8e3);
  }
}
