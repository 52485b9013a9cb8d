/* The console: filters apply as they are chosen, and the page renews itself when a need changes. */
import { Line, ask } from "/static/stream.js";

const TYPED = 450;
const filters = document.querySelector("#filters");
let timer;
let reading = 0;

function address() {
  const chosen = new URLSearchParams([...new FormData(filters)].filter(([name, value]) => value && !(name === "by" && value === "number")));
  return `${filters.getAttribute("action")}${chosen.size ? `?${chosen}` : ""}`;
}

/** Ask for the page again and put its moving parts in place; the filters keep their focus. */
async function renew(url, { fresh = false } = {}) {
  const mine = ++reading;
  const answer = await fetch(url, { headers: { Accept: "text/html", ...(fresh && { "X-Background": "1" }) } });
  if (answer.redirected) return location.assign(answer.url);
  if (!answer.ok || mine !== reading) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of ["#live", "#asof", ".sheet__head .button", ".filters__end"]) {
    const [here, there] = [document.querySelector(part), page.querySelector(part)];
    if (here && there && here.outerHTML !== there.outerHTML) here.replaceWith(there);
  }
  if (fresh) for (const figure of document.querySelectorAll(".figures dd")) figure.classList.add("fresh");
}

function choose() {
  clearTimeout(timer);
  const url = address();
  if (url !== location.pathname + location.search) history.pushState(null, "", url);
  renew(url).catch(() => location.assign(url));
}

filters.addEventListener("submit", (event) => { event.preventDefault(); choose(); });
filters.addEventListener("change", (event) => { if (event.target.matches("select")) choose(); });
filters.addEventListener("input", (event) => {
  if (!event.target.matches("[type=search]")) return;
  clearTimeout(timer);
  timer = setTimeout(choose, TYPED);
});
addEventListener("popstate", () => location.reload());

// What was chosen before anybody listened counts too.
function isAsServed(field) {
  if (!field.options) return field.value === field.defaultValue;
  return field.selectedIndex === Math.max([...field.options].findIndex((option) => option.defaultSelected), 0);
}
if (![...filters.querySelectorAll("select, input")].every(isAsServed)) choose();

new Line({
  open: (_after, signal) => ask("/console/stream", { signal, headers: { "X-Background": "1" } }),
  onEvent: (name, state) => {
    if (name === "ended") location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    if (name === "state" && state !== document.querySelector("#live").dataset.state) {
      renew(location.href, { fresh: true }).catch(() => {});
    }
  },
  onState: () => {},
});
