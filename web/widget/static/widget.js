// The chat inside the frame: who is chatting, the session, the line, and what the page around says.
import { Line, Outbox, ask, keep, post } from "./stream.js";
import { $, Talk } from "./talk.js";

const { words, origins, firm, assistant, limit } = JSON.parse($("config").textContent);
const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const text = $("text"), framed = parent !== window;

let who, signedToken, prefix, session, starting, outbox, line, page;
keep.onMemory = (kept) => tell("keep", { kept });
let isOpen = !framed, unread = 0, online = true, typed = 0;

const talk = new Talk(words, {
  onPress: (button_id, title) => outbox.add({ button_id, text: title }),
  onRetry: () => { outbox.flush(); text.focus(); },
});

// --- the page around ------------------------------------------------------------------------------
const tell = (rapport, more) => { if (page) parent.postMessage({ rapport, ...more }, page); };
const tellState = () => tell("state", { unread, title: fill(words.chat, { firm }), label: fill(unread ? words.unread : words.open, { n: unread }) });
addEventListener("message", ({ source, origin, data }) => {
  if (!framed || source !== parent || ![...origins, location.origin].includes(origin) || !data?.rapport) return;
  page = origin;
  if (data.theme) document.documentElement.dataset.theme = data.theme;
  if (data.rapport === "hello") {
    keep.restore(data.kept);
    become(data.token);
  }
  if (data.rapport === "sign-out") leave();
  if (data.rapport === "closed") isOpen = false;
  if (data.rapport === "open") {
    isOpen = true;
    connect();
    seen();
    talk.toEnd();
    (matchMedia("(pointer: coarse)").matches ? $("name") : text).focus();
  }
});

// --- who is chatting --------------------------------------------------------------------------------
/** The customer of a sign-in token, to tell people apart; the server alone decides whether it is true. */
function subject(token) {
  try { return JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub; } catch { return "?"; }
}
/** What this device keeps is kept by person, and only for the person who is here now. */
function become(token) {
  const next = token ? subject(token) : "", anonymous = who === "" && session;
  signedToken = token;
  if (who !== next) {
    line?.close();
    outbox?.close();
    who = next;
    prefix = `rapport:${who}:`;
    for (const key of keep.keys("rapport:")) if (!key.startsWith(prefix)) {
      // Whoever was signed in here has left the shop; what an anonymous visitor began goes on.
      if (/[^:]:session$/.test(key)) end(keep.get(key));
      keep.drop(key);
    }
    session = keep.get(prefix + "session") ?? anonymous; // Signing in goes on with what this page began.
    if (session) session.live = false;
    line = starting = null;
    outbox = new Outbox(prefix, { send, onChange: drawPending, onProblem });
    talk.clear();
    text.value = keep.get(prefix + "draft") ?? "";
    unread = 0;
    $("end").textContent = who ? words.signOut : words.end;
    showOwner({ kind: "bot" });
    drawPending();
  }
  note();
  tellState();
  if (isOpen || session || who) connect();
}
/** The server is told that a session is over; when it cannot be reached, the token ends by itself. */
const end = (of) => post("/chat/sign-out", {}, bearer(of)).catch(() => {});
/** Nothing of this person stays behind, whether or not the server can be reached. */
function leave() {
  session && end(session);
  for (const key of keep.keys("rapport:")) keep.drop(key);
  forget();
}
function forget() { who = session = null; become(); }
addEventListener("storage", ({ key, newValue }) => { if (key === `${prefix}session` && !newValue) forget(); }); // Left in another tab.

// --- the session ------------------------------------------------------------------------------------
const bearer = (of = session) => ({ Authorization: `Bearer ${of.token}` });
const ready = () => session?.live || (starting ??= begin().finally(() => { starting = null; }));
async function begin() {
  const mine = prefix, earlier = session, body = { language: document.documentElement.lang };
  if (signedToken) body.signed_in_token = signedToken;
  try {
    const fresh = await post("/chat/session", body, earlier && bearer());
    if (mine !== prefix) return;
    const same = fresh.conversation_id === earlier?.conversation_id;
    session = { ...fresh, live: true, seen: same ? earlier.seen : fresh.last_seq };
    remember();
    if (!same) {
      talk.clear();
      if (line) line.after = 0;
    }
    showOwner(fresh.owner);
  } catch (error) {
    if (error.status === 401 && mine === prefix) {
      session = null; // Too old to go on with; the line tries again without it.
      if (!earlier && signedToken) {
        line?.close();
        line = null;
        talk.clear(); // He may have signed out elsewhere.
        note(words.expired);
        tell("expired");
      }
    }
    throw error;
  }
}
function remember() {
  const { token, conversation_id, seen } = session;
  keep.set(prefix + "session", { token, conversation_id, seen });
}
async function authorized(action) {
  await ready();
  try { return await action(); } catch (error) {
    if (error.status === 401 && session) session.live = false;
    throw error;
  }
}

// --- the line ---------------------------------------------------------------------------------------
function connect() {
  if (line || prefix === undefined) return line?.nudge();
  line = new Line({
    open: (_, signal) => authorized(async () => {
      const get = (path) => ask(`/chat/${path}?after=${line.after}`, { headers: bearer(), signal });
      for (let known = -1; known < line.after && line.after < session.last_seq; ) {
        known = line.after;
        (await (await get("messages")).json()).messages.forEach(take);
      }
      return get("stream");
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
  if (message.sender !== "customer" && message.seq > session.seen) unread++;
  seen();
}
function seen() {
  if (isOpen && !document.hidden && session) {
    unread = 0;
    session.seen = Math.max(line.after, session.seen);
    if (session.live) remember();
  }
  tellState();
}
document.onvisibilitychange = seen;

function showOwner({ kind, name }) {
  const person = kind === "account_manager", [face, role, offer] = {
    bot: [assistant, words.assistant, words.talk],
    queue: [firm, words.queue, words.waiting],
    account_manager: [name, words.person, fill(words.with, { name })],
    nobody: [firm, words.ended, words.talk],
  }[kind];
  document.body.dataset.owner = kind;
  $("name").textContent = face;
  $("mark").textContent = face[0];
  $("role").textContent = role;
  $("person").lastChild.textContent = offer;
  $("person").disabled = offer !== words.talk;
  if (kind !== "bot") talk.retire();
}

// --- writing ----------------------------------------------------------------------------------------
const drawPending = () => talk.pending(outbox.items(), online, outbox.failing);
const note = (sentence = "") => { $("note").textContent = sentence; };
const write = (value) => keep.set(prefix + "draft", text.value = value);
const tooLong = (message, n = [...message].length) => n > limit && fill(words.tooLong, { limit, n });

async function send({ client_id, text, button_id, person }) {
  const body = person ? { client_id } : button_id ? { client_id, button_id } : { client_id, text };
  await authorized(() => post(person ? "/chat/person" : "/chat/messages", body, bearer()));
  if (outbox.failing) note();
}
/** Says why near the composer; words that were refused for good go back there. */
function onProblem(item, { status, retryAfter }) {
  if (status === 429) return note(fill(words.slow, { n: retryAfter }));
  note(item.button_id ? words.gone : tooLong(item.text) || words.refused);
  if (!item.button_id && !item.person) write([item.text, text.value].filter(Boolean).join("\n"));
}

text.oninput = () => {
  write(text.value);
  note(tooLong(text.value.trim()) || "");
  if (online && session?.live && Date.now() - typed > 3e3) {
    typed = Date.now();
    post("/chat/typing", {}, bearer()).catch(() => {}); // Nobody misses one.
  }
};
text.onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("form").requestSubmit();
};
$("form").onsubmit = (event) => {
  event.preventDefault();
  text.focus();
  const message = text.value.trim(), problem = tooLong(message);
  note(problem || "");
  if (!message || problem) return;
  write("");
  outbox.add({ text: message });
  talk.toEnd();
};
$("person").onclick = () => {
  if (!outbox.items().some((item) => item.person)) outbox.add({ person: true, text: words.talk });
  talk.toEnd();
  text.focus();
};
$("end").onclick = () => {
  $("menu").hidePopover();
  isOpen = !framed;
  tell("close");
  leave();
};
$("close").onclick = () => tell("close");
onkeydown = ({ key }) => { if (key === "Escape" && !$("menu").matches(":popover-open")) tell("close"); };
$("close").hidden = !framed;
if (!framed) become();
