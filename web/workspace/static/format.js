/* How times, money and the core's words are written for the reader. */

const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const bothFormat = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

// A date without a time is the firm's day, not an instant: it must not move with the reader's zone.
const asDate = (iso) => (iso.length === 10 ? new Date(`${iso}T12:00:00`) : new Date(iso));
export const day = (iso) => dayFormat.format(asDate(iso));
export const time = (iso) => timeFormat.format(new Date(iso));
export const dayAndTime = (iso) => bothFormat.format(new Date(iso));
const longFormat = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
export const longDay = (iso) => longFormat.format(new Date(iso));
export const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();

export function money(minor, currency, digits) {
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency, maximumFractionDigits: digits });
  const shift = 10 ** (new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits);
  return format.format(minor / shift);
}
export const amount = (decimal, currency) =>
  new Intl.NumberFormat(undefined, { style: "currency", currency, maximumFractionDigits: 0 }).format(Number(decimal));

export function waited(since, now = Date.now()) {
  const seconds = Math.max(0, Math.floor((now - new Date(since)) / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

export const TIERS = { MVC: "Most valuable", MGC: "Most growable", BZ: "Below zero", core: "Core" };
export const CAUSES = {
  request: "Asked for a person", value: "Valuable customer in trouble", failure: "Not understood",
  error: "The assistant broke down", takeover: "An account manager stepped in",
};
export const CASES = { complaint: "Complaint", cancelling: "Wants to cancel" };
export const NEED_STATES = {
  understood: ["Not confirmed", "warn"], open: ["Open", "info"], met: ["Met", "ok"],
  withdrawn: ["Withdrawn", ""], contradicted: ["Contradicted", "danger"],
};
export const ORDER_STATES = { placed: "", shipped: "info", delivered: "ok", cancelled: "danger" };
export const PURPOSES = { offers: "Offers", contact: "Contact", profiling: "Profiling", research: "Research" };
export const words = (code) => code.replaceAll("_", " ").replaceAll("-", " ").replace(/^./, (c) => c.toUpperCase());
export const initials = (name) => name.split(/\s+/).filter(Boolean).slice(0, 2).map((part) => part[0].toUpperCase()).join("");
