/* The right pane: the customer first (worth, then needs), then why he is here. */
import { write } from "/static/staff/http.js";
import { h, $, show } from "/static/workspace/dom.js";
import { nameOf } from "/static/workspace/lists.js";
import {
  CASES, CAUSES, NEED_STATES, ORDER_STATES, PURPOSES, TIERS, amount, day, dayAndTime, money, words,
} from "/static/workspace/format.js";

export function drawCard(card, { onKept, onBack }) {
  const { customer } = card;
  show($("#card"),
    h("div.card-head", {},
      h("button.button.ghost.compact.from-card", { type: "button", "data-key": "from-card" }, "‹ Conversation"),
      h("div.card-head__line", {},
        h("h2", {}, customer?.name ?? nameOf({})),
        customer
          ? h("span.badge.ok", { title: `Verified ${dayAndTime(card.verified_at)}` }, "✓ Verified")
          : h("span.badge.warn", {}, "Not verified")),
      customer && h("p.quiet", {}, `Customer since ${day(customer.since)} · ${customer.account_manager ? `Account manager: ${customer.account_manager}` : "No account manager of his own"}`)),
    customer ? worth(card.value) : locked(),
    needs(card.needs, customer),
    brief(card.brief),
    complaints(card.complaints),
    callbacks(card.callbacks),
    customer && orders(customer),
    customer && contracts(customer.contracts),
    customer && consents(customer.consents),
    customer && contacts(customer.contacts));
  $("#card .from-card").onclick = onBack;
  for (const button of document.querySelectorAll("#card [data-kept]")) {
    button.onclick = async () => {
      button.disabled = true;
      try { await write(`/workspace/api/callbacks/${button.dataset.kept}/kept`); } finally { onKept(); }
    };
  }
}

const section = (title, ...children) => h("section.part", {}, h("h3", {}, title), children);
const nothing = (text) => h("p.part__none", {}, text);

function locked() {
  return h("section.part.part--locked", {},
    h("h3", {}, "Worth, orders and contacts are locked"),
    h("p", {}, "This visitor has not proved who he is. Ask the assistant to verify him, or speak only of what he tells you here."));
}

function worth(value) {
  if (!value) return section("Worth", nothing("Not scored yet. It is worked out each night; this customer is served like everybody else."));
  return h("section.part.worth", {},
    h("div.worth__line", {},
      h(`span.badge.${value.tier.toLowerCase()}`, {}, value.tier),
      h("span.worth__tier", {}, TIERS[value.tier]),
      value.stale && h("span.badge.warn", {}, "Out of date")),
    h("p.worth__sum", {}, amount(value.clv, value.currency), h("span", {}, `worth over ${horizon(value.horizon_days)}`)),
    h("p.worth__asof", {}, `As of ${day(value.as_of)} · ${value.model_version}`, value.stale && " · too old to decide anything by tier"),
    h("dl.facts", {}, Object.entries(figures(value)).map(([name, figure]) => h("div", {}, h("dt", {}, name), h("dd", {}, figure)))),
    h("ul.reasons", {}, value.why.map((reason) => h("li", {}, reason))));
}

const horizon = (days) => (days % 365 === 0 ? (days === 365 ? "a year" : `${days / 365} years`) : `${days} days`);

function figures(value) {
  const shown = {
    // The model cannot tell whether somebody who bought once is still there.
    "Still a customer": value.frequency ? `${Math.round(value.p_alive * 100)} % likely` : "bought once, unknown",
    "Expected purchases": value.expected_purchases.toFixed(1),
    "Cost to serve": amount(value.cost_to_serve, value.currency),
  };
  if (value.clv_low !== null) shown["19 times in 20"] = `${amount(value.clv_low, value.currency)} to ${amount(value.clv_high, value.currency)}`;
  if (value.history_value !== null) shown["Has brought"] = amount(value.history_value, value.currency);
  const known = value.strategic_provenance;
  if (value.potential_value !== null) shown["Could be worth"] = `${amount(value.potential_value, value.currency)} more (${known})`;
  if (value.share_of_customer !== null) shown["Share of customer"] = `${Math.round(value.share_of_customer * 100)} % (${known})`;
  return shown;
}

function needs(list, customer) {
  if (!list.length) return section("Needs", nothing(customer ? "None known. What he tells you here is worth writing down." : "None stated in this conversation."));
  return section("Needs", h("ul.needs", {}, list.map((need) => {
    const [state, tone] = NEED_STATES[need.status] ?? [words(need.status), ""];
    const details = [
      need.product, ...need.attributes.map(([name, value]) => `${words(name)}: ${value}`), budget(need.budget),
      need.quantity > 1 && `${need.quantity} pieces`, need.timing?.raw && `When: ${need.timing.raw}`, need.purpose && `For: ${need.purpose}`,
    ].filter(Boolean);
    return h("li.need", {},
      h("p.need__head", {}, h("b", {}, words(need.title)), h(`span.badge${tone && `.${tone}`}`, {}, state)),
      details.length > 0 && h("p.need__details", {}, details.join(" · ")),
      h("blockquote", {}, need.verbatim),
      h("p.need__foot", {}, `${day(need.stated_at)} · ${words(need.provenance)} · ${Math.round(need.confidence * 100)} % sure`));
  })));
}

function budget(value) {
  if (!value) return null;
  if (!value.currency) return value.raw; // Words such as "not too dear", or a figure without its currency.
  const write = (minor) => money(minor, value.currency, 0);
  if (value.target_minor) return `about ${write(value.target_minor)}`;
  if (value.min_minor && value.max_minor) return `${write(value.min_minor)} to ${write(value.max_minor)}`;
  if (value.max_minor) return `up to ${write(value.max_minor)}`;
  return value.min_minor ? `from ${write(value.min_minor)}` : value.raw;
}

function brief(brief) {
  const said = brief.last_turns.map((turn) =>
    h("li", {}, h("b", {}, turn.sender === "bot" ? turn.name : "Customer"), ` ${turn.text.length > 180 ? `${turn.text.slice(0, 180)} …` : turn.text}`));
  return section("Hand-over",
    h("p.brief__why", {}, h("b", {}, brief.reason ? CAUSES[brief.reason] : "Still with the assistant"), brief.requested_at && ` · ${dayAndTime(brief.requested_at)}`),
    brief.summary && h("p", {}, brief.summary),
    brief.reasons.length > 0 && h("ul.reasons", {}, brief.reasons.map((reason) => h("li", {}, reason))),
    h("p.brief__mood", {},
      h(`span.badge${brief.mood === "upset" ? ".warn" : ""}`, {}, brief.mood === "upset" ? "Upset" : "Calm"),
      brief.open_case && h("span.badge.danger", {}, CASES[brief.open_case]),
      brief.failures > 0 && h("span.badge.warn", {}, `Not understood ${brief.failures} times`)),
    brief.offers.length > 0 && h("p.quiet", {}, `Offered here: ${brief.offers.map((offer) => `${offer.title} (${offer.status})`).join(", ")}`),
    said.length > 0 && h("details", { open: true }, h("summary", {}, "What the assistant tried"), h("ul.turns", {}, said)));
}

function complaints(list) {
  if (!list.length) return null;
  return section("Open complaints", h("ul.plain", {}, list.map((complaint) =>
    h("li", {}, h("p.plain__head", {}, h("b", {}, complaint.reference), h("span.quiet", {}, day(complaint.opened_at))), h("blockquote", {}, complaint.verbatim)))));
}

function callbacks(list) {
  if (!list.length) return null;
  return section("Call-backs", h("ul.plain", {}, list.map((callback) => {
    const [state, tone] = callback.status === "kept" ? ["Kept", "ok"] : callback.status === "overdue" ? ["Overdue", "danger"] : ["Promised", "info"];
    return h("li", {},
      h("p.plain__head", {}, h("b", {}, callback.contact || "In this chat"), h(`span.badge.${tone}`, {}, state)),
      h("p", {}, callback.preferred_at && `“${callback.preferred_at}” · `, callback.kept_at ? `kept ${dayAndTime(callback.kept_at)}` : `owed by ${dayAndTime(callback.promised_by)}`),
      callback.status !== "kept" && h("button.button.compact", { type: "button", "data-kept": callback.callback_id, "data-key": callback.callback_id }, "Mark as kept"));
  })));
}

function orders({ orders: list, order_count: count }) {
  if (!list.length) return section("Orders", nothing("No orders yet."));
  return section(`Orders (${count})`, h("ul.plain", {}, list.map((order) =>
    h("li", {},
      h("p.plain__head", {}, h("b", {}, order.order_id), h(`span.badge${ORDER_STATES[order.status] ? `.${ORDER_STATES[order.status]}` : ""}`, {}, words(order.status)), h("span.plain__sum", {}, money(order.amount_minor, order.currency))),
      h("p.quiet", {}, [day(order.ordered_at), order.items.map((item) => item.product && words(String(item.product))).filter(Boolean).join(", "),
        order.expected_on && !order.delivered_on && order.status !== "cancelled" && `expected ${day(order.expected_on)}`, !order.paid && "not paid"].filter(Boolean).join(" · "))))));
}

function contracts(list) {
  if (!list.length) return null;
  return section("Contracts", h("ul.plain", {}, list.map((contract) =>
    h("li", {}, h("p.plain__head", {}, h("b", {}, words(contract.product)), h("span.plain__sum", {}, money(contract.fee_minor, contract.currency))),
      h("p.quiet", {}, `since ${day(contract.started_on)}${contract.ends_on ? ` · ends ${day(contract.ends_on)}` : contract.renews_on ? ` · renews ${day(contract.renews_on)}` : ""}`)))));
}

function consents(list) {
  if (!list.length) return section("Consents", nothing("Never asked: no offer may be made."));
  return section("Consents", h("ul.chips", {}, list.map((consent) =>
    h("li", {}, h(`span.badge${consent.granted ? ".ok" : ""}`, { title: day(consent.decided_at) }, `${consent.granted ? "✓" : "✕"} ${PURPOSES[consent.purpose] ?? words(consent.purpose)}`)))));
}

function contacts(list) {
  if (!list.length) return null;
  return section("Contact", h("dl.facts", {}, list.map((contact) => h("div", {}, h("dt", {}, words(contact.kind)), h("dd", {}, contact.value)))));
}
