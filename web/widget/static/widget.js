// The chat inside the frame: who is chatting, the session, the line, and what the page around says.
import { Line, Outbox, ask, keep, newId, post } from "./stream.js";
import { $, Talk } from "./talk.js";

const { words, origins, firm, assistant, limit } = JSON.parse($("config").textContent);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const text = $("text"), framed = parent !== window;

let who, signedToken, prefix, session, starting, outbox, line, page, owner;
let isOpen = !framed, unread = 0, online = true;

const talk = new Talk(words, {
  onPress: (button_id, title) => outbox.add({ button_id, text: title }),
  onRetry: (item) => { outbox.retry(item); text.focus(); },
});

// --- the page around ------------------------------------------------------------------------------
const tell = (rapport, more) => { if (page) parent.postMessage({ rapport, ...more }, page); };
function tellState() {
  tell("state", { unread, title: fill(words.chat, { firm }), label: unread ? fill(words.unread, { n: unread }) : words.open });
}
addEventListener("message", ({ source, origin, data }) => {
  if (!framed || source !== parent || ![...origins, location.origin].includes(origin)) return;
  page = origin;
  if (data.theme) document.documentElement.dataset.theme = data.theme;
  if (data.rapport === "hello") become(data.token);
  if (data.rapport === "sign-out") leave();
  if (data.rapport === "closed") isOpen = false;
  if (data.rapport === "open") {
    isOpen = true;
    if (prefix && !line) connect();
    seen();
    talk.toEnd();
    (matchMedia("(pointer: coarse)").matches ? $("name") : text).focus();
  }
});

// --- who is chatting --------------------------------------------------------------------------------
function subject(token) {
  try { return JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub; } catch { return ""; }
}
/** What this device keeps is kept by person, and only for the person who is here now. */
function become(token) {
  const next = token ? subject(token) : "";
  signedToken = token;
  if (who === next) return line || isOpen || who ? connect() : undefined;
  const anonymous = who === "" && session; // Signing in goes on with what this page talked about.
  who = next;
  prefix = `rapport:${who}:`;
  for (const key of keep.keys("rapport:")) if (!key.startsWith(prefix)) keep.drop(key);
  session = keep.get(prefix + "session") ?? anonymous;
  if (session) session.live = false;
  restart();
}
function restart() {
  line?.close();
  outbox?.close();
  line = starting = null;
  outbox = new Outbox(prefix, { send, onChange: drawPending, onRefused });
  talk.clear();
  note();
  text.value = keep.get(prefix + "draft") ?? "";
  grow();
  unread = 0;
  $("end").textContent = who ? words.signOut : words.end;
  showOwner({ kind: "bot", name: assistant });
  tellState();
  drawPending();
  if (isOpen || session || who) connect();
}
/** Nothing of this person stays behind, whether or not the server can be reached. */
function leave() {
  if (session) post("/chat/sign-out", {}, bearer()).catch(() => {}); // Its token ends by itself.
  for (const key of keep.keys("rapport:")) keep.drop(key);
  who = undefined;
  session = null;
  if (!framed || page) become(null);
}
addEventListener("storage", ({ key, newValue }) => {
  if (prefix && key === `${prefix}session` && !newValue) { session = null; who = undefined; become(null); }
});

// --- the session ------------------------------------------------------------------------------------
const bearer = () => ({ Authorization: `Bearer ${session.token}` });
const ready = () => session?.live ? Promise.resolve() : (starting ??= begin().finally(() => { starting = null; }));
async function begin() {
  const mine = who, earlier = session?.conversation_id;
  const body = { language: document.documentElement.lang, signed_in_token: signedToken || undefined };
  const fresh = await post("/chat/session", body, session && bearer()).catch((error) => {
    if (error.status !== 401) throw error;
    if (session) session = null; // Too old to go on with; try once more without it.
    else if (signedToken) { note(words.expired); tell("expired"); }
    throw error;
  });
  if (mine !== who) throw new Error("somebody else is chatting now");
  const same = fresh.conversation_id === earlier;
  session = { ...fresh, live: true, seen: same ? session.seen : 0 };
  remember();
  if (!same) { talk.clear(); if (line) line.after = 0; drawPending(); }
  showOwner(fresh.owner);
}
function remember() {
  const { token, conversation_id, seen } = session;
  keep.set(prefix + "session", { token, conversation_id, seen });
}
async function authorized(action) {
  await ready();
  try { return await action(); } catch (error) {
    if (error.status === 401) session.live = false;
    throw error;
  }
}

// --- the line ---------------------------------------------------------------------------------------
function connect() {
  if (line) return line.nudge();
  line = new Line({
    open: (_, signal) => authorized(async () => {
      for (let known = -1; line.after > known && line.after < session.last_seq; ) {
        known = line.after;
        const answer = await ask(`/chat/messages?after=${known}`, { headers: bearer(), signal });
        (await answer.json()).messages.forEach(take);
      }
      return ask(`/chat/stream?after=${line.after}`, { headers: bearer(), signal });
    }),
    onEvent: (name, data) => {
      if (name === "message") take(data);
      if (name === "owner") showOwner(data);
      if (name === "typing") talk.typing(data.name || assistant);
    },
    onState: (up) => {
      online = up;
      setTimeout(() => { $("net").textContent = online ? "" : words.offline; }, up ? 0 : 1500);
      drawPending();
      if (up) outbox.flush();
    },
  });
}
function take(message) {
  if (message.seq <= line.after) return;
  line.after = message.seq;
  talk.show(message);
  outbox.settle(message.client_id);
  if (message.sender !== "customer" && message.seq > session.seen) { unread++; seen(); }
}
function seen() {
  if (isOpen && !document.hidden && line) {
    unread = 0;
    if (session && line.after > session.seen) {
      session.seen = line.after;
      remember();
    }
  }
  tellState();
}
document.addEventListener("visibilitychange", seen);

function showOwner({ kind, name }) {
  const person = kind === "account_manager", waits = kind === "queue";
  const shown = kind === "bot" ? name || assistant : person ? name : firm;
  owner = kind;
  $("name").textContent = shown;
  $("role").textContent = words[{ bot: "assistant", account_manager: "person", queue: "queue" }[kind] ?? "ended"];
  document.body.dataset.owner = kind;
  $("mark").textContent = shown[0];
  $("person").disabled = person || waits;
  $("person").lastChild.textContent = person ? fill(words.with, { name }) : waits ? words.waiting : words.talk;
  if (kind !== "bot") talk.retire();
}

// --- writing ----------------------------------------------------------------------------------------
const drawPending = () => talk.pending(outbox.items(), online);
const note = (sentence = "") => { $("note").textContent = sentence; };
function send({ client_id, text, button_id, person }) {
  const body = person ? { client_id } : button_id ? { client_id, button_id } : { client_id, text };
  return authorized(() => post(person ? "/chat/person" : "/chat/messages", body, bearer()));
}
/** Says why, near the composer; true keeps the item, otherwise its words go back to the composer. */
function onRefused(item, error) {
  if (error.status === 429) { note(fill(words.slow, { n: error.retryAfter })); return true; }
  note(item.button_id ? words.gone : error.status === 413 ? tooLong(item.text) : words.refused);
  if (!item.button_id && !item.person) write([item.text, text.value].filter(Boolean).join("\n"));
  return false;
}
const tooLong = (message) => fill(words.tooLong, { limit, n: [...message].length });
function grow() { text.style.height = "auto"; text.style.height = `${text.scrollHeight}px`; }
function write(value) { text.value = value; keep.set(prefix + "draft", value); grow(); }

let typed = 0;
text.oninput = () => {
  write(text.value);
  note([...text.value.trim()].length > limit ? tooLong(text.value.trim()) : "");
  if (session?.live && online && Date.now() - typed > 3e3) {
    typed = Date.now();
    post("/chat/typing", {}, bearer()).catch(() => {}); // Nobody misses one.
  }
};
text.onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("form").requestSubmit(); }
};
$("form").onsubmit = (event) => {
  event.preventDefault();
  const message = text.value.trim();
  if ([...message].length > limit) return note(tooLong(message));
  text.focus();
  if (!message) return;
  write("");
  note();
  outbox.add({ text: message });
  talk.toEnd();
};
$("person").onclick = () => { if (!outbox.items().some((item) => item.person)) outbox.add({ person: true }); text.focus(); };
$("end").onclick = () => { $("menu").hidePopover(); leave(); tell("close"); };
$("close").onclick = () => tell("close");
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && !$("menu").matches(":popover-open")) tell("close");
});
if (!framed) become(null);
