/* Calls to our own server: the CSRF token on every write, errors as one kind of object. */

const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

export class Refused extends Error {
  /** @param {number} status 0 when the server was not reached */
  constructor(status, code, message, body = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.body = body;
  }
}

export async function call(method, path, body, { background = false, keepalive = false } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (background) headers["X-Background"] = "1";
  let response;
  try {
    response = await fetch(path, {
      method, headers, keepalive,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: keepalive ? undefined : AbortSignal.timeout(15000),
    });
  } catch {
    throw new Refused(0, "offline", "The server cannot be reached. What you wrote is kept.");
  }
  if (response.status === 401) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    throw new Refused(401, "not_signed_in", "Your session has ended.");
  }
  const text = await response.text();
  let answer = {};
  try { answer = text ? JSON.parse(text) : {}; } catch { /* A proxy's own page: the status says enough. */ }
  if (!response.ok) {
    const { code = "failed", message = "That did not work. Try again." } = answer.error ?? {};
    throw new Refused(response.status, code, message, answer);
  }
  return answer;
}

export const read = (path, options) => call("GET", path, undefined, options);
export const write = (path, body = {}, options) => call("POST", path, body, options);
