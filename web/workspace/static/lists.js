/* The left pane: whose turn it is, in the order of the queue, with the reasons for that order. */
import { h, $, show } from "/static/workspace/dom.js";
import { CASES, CAUSES, dayAndTime, time, waited, words } from "/static/workspace/format.js";

const EMPTY = {
  mine: ["You lead no conversation", "Take one from Waiting, or wait: customers of yours come straight to you while you are on duty."],
  waiting: ["Nobody is waiting", "Customers who ask for a person appear here at once, the most urgent first."],
  open: ["No conversation is open", "Everything said in the last 24 hours appears here, also what the assistant handles alone."],
  callbacks: ["No call-back is owed", "Outside opening hours customers leave a contact and a time; the promise stands here until it is kept."],
};

export class Lists {
  constructor({ open }) {
    this.open = open;
    this.data = null;
    this.tab = "waiting";
    this.chosen = null;
    for (const tab of document.querySelectorAll("[data-tab]")) {
      tab.addEventListener("click", () => this.choose(tab.dataset.tab));
      tab.addEventListener("keydown", (event) => this.moveTab(event, tab));
    }
    setInterval(() => this.tick(), 1000);
  }

  update(data) {
    const first = this.data === null;
    const before = new Set((this.data?.waiting ?? []).map((entry) => entry.conversation_id));
    // Who was handed to this person and still waits for her stands first among those who wait.
    data = { ...data, waiting: [...data.mine.filter((line) => !line.joined), ...data.waiting] };
    this.data = data;
    const arrived = data.waiting.filter((entry) => !before.has(entry.conversation_id));
    if (!first && arrived.length) {
      $("#news").textContent = arrived.length === 1 ? `${nameOf(arrived[0])} is waiting` : `${arrived.length} customers are waiting`;
    }
    if (first && !data.waiting.length && data.mine.length) this.tab = "mine";
    const urgent = data.waiting.length + data.mine.filter((line) => line.joined && line.awaits_answer).length;
    document.title = (urgent ? `(${urgent}) ` : "") + document.title.replace(/^\(\d+\) /, "");
    this.render();
  }

  choose(tab) { this.tab = tab; this.render(); }

  mark(conversationId) { this.chosen = conversationId; this.render(); }

  /** Move by one line, and open what is there. */
  step(by) {
    const rows = [...document.querySelectorAll("#list .row")];
    if (!rows.length) return;
    const at = rows.findIndex((row) => row.dataset.key === this.chosen);
    const row = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    this.open(row.dataset.key);
    $(`#list [data-key="${CSS.escape(row.dataset.key)}"]`)?.focus();
  }

  moveTab(event, tab) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const tabs = [...document.querySelectorAll("[data-tab]")];
    const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length];
    this.choose(next.dataset.tab);
    next.focus();
  }

  render() {
    if (!this.data) return;
    for (const tab of document.querySelectorAll("[data-tab]")) {
      const chosen = tab.dataset.tab === this.tab;
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1;
    }
    for (const place of document.querySelectorAll("[data-count]")) {
      const count = this.data[place.dataset.count].length;
      place.textContent = count || "";
      place.classList.toggle("count--urgent", place.dataset.count === "waiting" && count > 0);
    }
    const draw = { mine: line, waiting: entry, open: line, callbacks: callback }[this.tab];
    const rows = this.data[this.tab].map((item) => this.row(item, draw(item, this.data)));
    const place = $("#list");
    place.removeAttribute("aria-busy");
    if (rows.length) return show(place, h("ul.rows", {}, rows)), this.tick(), this.listen(place);
    const [title, more] = EMPTY[this.tab];
    show(place, h("div.nothing.nothing--list", {}, h("p.nothing__title", {}, title), h("p", {}, more)));
  }

  row(item, children) {
    const current = item.conversation_id === this.chosen;
    return h("li", {}, h("a.row", {
      href: `/workspace?c=${item.conversation_id}`, "data-key": item.conversation_id, "aria-current": current ? "true" : null,
    }, children));
  }

  listen(place) {
    for (const row of place.querySelectorAll(".row")) {
      row.onclick = (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        this.open(row.dataset.key);
      };
    }
  }

  tick() {
    for (const clock of document.querySelectorAll("[data-since]")) clock.textContent = waited(clock.dataset.since);
  }
}

export const nameOf = (item) => item.customer_name ?? "Unverified visitor";
export const tierBadge = (tier) => tier && h(`span.badge.${tier.toLowerCase()}`, {}, tier);

function head(item, end) {
  return h("span.row__head", {}, h("span.row__name", {}, nameOf(item)), tierBadge(item.tier), h("span.row__end", {}, end));
}

function situation(item) {
  return [
    item.open_case && h("span.badge.danger", {}, CASES[item.open_case]),
    item.mood === "upset" && h("span.badge.warn", {}, "Upset"),
  ];
}

function entry(item, { open }) {
  if (!item.points) return line(item);
  const said = open.find((line) => line.conversation_id === item.conversation_id)?.customer_text;
  const parts = item.points.parts.filter((part) => part.points).map((part) => `${words(part.name)} ${part.points}`);
  return [
    head(item, h("span.clock", { "data-since": item.waiting_since })),
    h("span.row__text", {}, item.summary || (said ? `“${said}”` : CAUSES[item.cause])),
    h("span.row__foot", {}, situation(item), item.points.overtakes && h("span.badge.info", {}, "Longest wait goes first")),
    h("span.points", {}, h("b", {}, `${item.points.total} points`), ` ${parts.join(" · ")}`),
  ];
}

function line(item) {
  const who = { customer: "", bot: "Assistant: ", account_manager: "You: " }[item.last_sender] ?? "";
  const owner = { bot: "With the assistant", queue: "Waiting for a person" }[item.owner_kind] ?? `With ${item.owner_name}`;
  return [
    head(item, h("span.row__time", {}, time(item.last_message_at))),
    h("span.row__text", {}, (item.last_sender === "account_manager" && item.owner_kind !== "account_manager" ? "Colleague: " : who) + item.last_text),
    h("span.row__foot", {}, h("span.row__owner", {}, owner), situation(item), !item.joined && item.owner_kind === "account_manager" ? h("span.badge.person.dot", {}, "Has not joined yet") : item.awaits_answer && h("span.badge.person.dot", {}, "Answer due")),
  ];
}

function callback(item) {
  const overdue = item.status === "overdue" || new Date(item.promised_by) < new Date();
  return [
    head(item, overdue ? h("span.badge.danger", {}, "Overdue") : h("span.row__time", {}, `by ${dayAndTime(item.promised_by)}`)),
    h("span.row__text", {}, item.preferred_at ? `“${item.preferred_at}”` : "No time was named"),
    h("span.row__foot", {}, h("span.row__owner", {}, item.contact || "Answer in the chat")),
  ];
}
