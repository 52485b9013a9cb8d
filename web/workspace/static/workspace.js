/* The workspace: joins the lists, the open conversation, the reply and the customer's card. */
import { Line, ask } from "/static/stream.js";
import { read, write } from "/static/staff/http.js";
import { drawCard } from "/static/workspace/card.js";
import { Composer } from "/static/workspace/composer.js";
import { h, $, show } from "/static/workspace/dom.js";
import { Lists, nameOf, tierBadge } from "/static/workspace/lists.js";
import { Thread } from "/static/workspace/thread.js";

const panes = $("#panes");
const CARD_AFTER = 500;
let open = null; // { id, thread, composer, owner, card }
const lists = new Lists({ open: (id) => openConversation(id) });

// --- the lists, live ---

new Line({
  background: true,
  open: (_after, signal) => ask("/workspace/api/stream", { signal, headers: { "X-Background": "1" } }),
  onEvent: (name, data) => {
    if (name === "lists") { lists.update(data); showDuty(data.on_duty); }
    if (name === "ended") sessionEnded();
  },
  onState: (up, problem) => {
    if (problem?.status === 401) sessionEnded();
    $("#line-state").textContent = up ? "" : "Reconnecting";
  },
});

function sessionEnded() {
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

// --- one conversation ---

async function openConversation(id, { push = true, focus = false } = {}) {
  pane("thread");
  if (open?.id === id) return focus && reply();
  closeConversation();
  lists.mark(id);
  if (push) history.pushState(null, "", `/workspace?c=${id}`);
  $("#nothing").hidden = true;
  open = { id, owner: null, card: null, composer: null };
  const mine = open;
  open.thread = new Thread(id, {
    onOwner: (owner) => { mine.owner = owner; drawOwner(); readCardSoon(); },
    onMessages: (fresh) => { mine.composer?.arrived(fresh); readCardSoon(); },
    onState: (up, problem) => {
      if (problem?.status === 404) return closeConversation(), say("There is no such conversation.");
      if (up && mine.composer) mine.composer.save();
    },
    onEnded: sessionEnded,
  });
  await readCard();
}

function closeConversation() {
  open?.thread.close();
  open?.composer?.close();
  open = null;
  lists.mark(null);
  for (const part of ["#thread-head", "#thread", "#composer", "#take", "#newer", "#typing"]) $(part).hidden = true;
  $("#nothing").hidden = false;
  $("#card").replaceChildren();
}

let cardTimer;
function readCardSoon() {
  clearTimeout(cardTimer);
  cardTimer = setTimeout(readCard, CARD_AFTER);
}

async function readCard() {
  const wanted = open;
  if (!wanted) return;
  try {
    const card = await read(`/workspace/api/conversations/${wanted.id}/card`, { background: true });
    if (open !== wanted) return;
    open.card = card;
    drawCard(card, { onKept: readCard, onBack: () => pane("thread") });
    open.thread.name(card.customer?.name ?? "");
    drawOwner();
  } catch (problem) {
    if (problem.status && open === wanted) say(problem.message);
  }
}

const CLAIMABLE = { queue: "waits for a person", bot: "is with the assistant", nobody: "is closed" };

function drawOwner() {
  const { owner, card, id } = open;
  if (!owner) return;
  const name = nameOf({ customer_name: card?.customer?.name });
  const state = owner.mine ? (owner.joined ? "Yours" : "Handed to you") : owner.kind === "account_manager" ? `With ${owner.name}` : { bot: "With the assistant", queue: "Waiting", nobody: "Closed" }[owner.kind];
  $("#thread-head").hidden = false;
  show($("#thread-head"),
    h("button.button.ghost.compact.back", { type: "button", "data-act": "list", "aria-label": "Back to the list" }, "‹ List"),
    h("div.thread-head__who", {}, h("h1", {}, name), h("p", {}, tierBadge(card?.value?.tier),
      h(`span.badge${owner.mine ? ".person" : owner.kind === "bot" ? ".bot" : owner.kind === "queue" ? ".warn" : ""}`, {}, state),
      owner.verified ? h("span.badge.ok", {}, "✓ Verified") : h("span.badge.warn", {}, "Not verified"))),
    h("div.thread-head__acts", {},
      owner.mine && h("button.button.compact", { type: "button", "data-act": "give-back", "data-key": "give-back" }, "Give back"),
      owner.mine && h("button.button.compact", { type: "button", "data-act": "close", "data-key": "close" }, "Close"),
      h("button.button.compact.to-card", { type: "button", "data-act": "card" }, "Customer")));
  for (const button of document.querySelectorAll("#thread-head [data-act]")) button.onclick = () => ACTS[button.dataset.act]();
  drawReply(owner, id);
}

function drawReply(owner, id) {
  const leads = owner.mine && owner.joined;
  $("#composer").hidden = !leads;
  $("#take").hidden = leads;
  if (leads && !open.composer) {
    const mine = open;
    open.composer = new Composer(id, {
      lastSeen: () => mine.thread.lastSeq,
      onMissed: (missed) => { mine.thread.take(missed, { missed: true }); mine.thread.toEnd(); },
      onSaid: (message) => mine.thread.take([message]),
      onLost: () => readCardSoon(),
    });
    if (open.focusNext) { open.focusNext = false; open.composer.focus(); }
  }
  if (!leads && open.composer) {
    open.composer.close();
    open.composer = null;
  }
  if (leads) return;
  show($("#take"), owner.kind === "account_manager" && !owner.mine
    ? h("p", {}, `${owner.name} leads this conversation. You can read along.`)
    : [h("p", {}, `This conversation ${owner.mine ? "was handed to you; the customer waits" : CLAIMABLE[owner.kind]}.`), h("button.button.primary", { type: "button", "data-key": "claim" }, "Take over")]);
  const button = $("#take button");
  if (button) button.onclick = claim;
}

async function claim() {
  const wanted = open;
  wanted.focusNext = true;
  try {
    await write(`/workspace/api/conversations/${wanted.id}/claim`);
    lists.choose("mine");
  } catch (problem) {
    wanted.focusNext = false;
    say(problem.message);
  }
}

async function letGo(how) {
  const wanted = open;
  await wanted.composer?.save();
  try {
    await write(`/workspace/api/conversations/${wanted.id}/${how}`);
  } catch (problem) {
    say(problem.message);
  }
}

const ACTS = {
  list: () => pane("list"),
  card: () => pane(panes.dataset.pane === "card" ? "thread" : "card"),
  "give-back": () => letGo("give-back"),
  close: () => letGo("close"),
};

function reply() {
  if (!open?.owner) { if (open) open.focusNext = true; return; }
  if (open.composer) open.composer.focus();
  else if (open.owner.mine || open.owner.kind !== "account_manager") claim();
}

/** A sentence for the reader, in the place where he acts. */
function say(sentence) {
  const place = $("#line-state");
  place.textContent = sentence;
  place.classList.add("line-state--said");
  setTimeout(() => { if (place.textContent === sentence) place.textContent = ""; place.classList.remove("line-state--said"); }, 6000);
}

function pane(name) { panes.dataset.pane = name; }

// --- duty ---

function showDuty(on) {
  $("#duty").setAttribute("aria-checked", on);
  $("#duty-words").textContent = on ? "On duty" : "Off duty";
}

// It comes disabled, so that nobody presses it before somebody listens.
$("#duty").disabled = false;
$("#duty").addEventListener("click", async () => {
  const wanted = $("#duty").getAttribute("aria-checked") !== "true";
  try {
    showDuty((await write("/workspace/api/duty", { on_duty: wanted })).on_duty);
  } catch (problem) {
    say(problem.message);
  }
});

// --- keyboard ---

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const writing = event.target.matches("textarea, input, select");
  if (event.key === "Escape") {
    if (writing) return event.target.blur();
    if (panes.dataset.pane === "card") return pane("thread");
    return pane("list"), document.querySelector("#list [aria-current]")?.focus();
  }
  if (writing) return;
  if (event.key === "j" || event.key === "k") { event.preventDefault(); lists.step(event.key === "j" ? 1 : -1); }
  if (event.key === "r" || (event.key === "Enter" && event.target.matches("body, .row[aria-current]"))) {
    if (open) { event.preventDefault(); reply(); }
  }
});

addEventListener("popstate", () => fromAddress());
function fromAddress() {
  const id = new URLSearchParams(location.search).get("c");
  if (id) openConversation(id, { push: false });
  else { closeConversation(); pane("list"); }
}
fromAddress();
