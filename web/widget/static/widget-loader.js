// The only script a shop's page needs: a launcher and a frame. The chat itself runs inside the
// frame, on our origin; the two talk by messages whose origin and window are checked on both sides.
(() => {
  if (window.Rapport) return;
  const script = document.currentScript, base = new URL(script.src).origin;
  let token = script.dataset.token || null, ready = false, isOpen = false;

  // A shadow root keeps the shop's styles out; a constructed sheet passes any style policy.
  const host = document.createElement("div"), root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
:host { all: initial; color-scheme: ${{ light: "only light", dark: "only dark" }[script.dataset.theme] ?? "light dark"} }
[hidden] { display: none !important }
button, div { position: fixed; z-index: 2147483000; right: 20px; box-sizing: border-box }
button { bottom: 20px; width: 58px; height: 58px; padding: 0; border: 1px solid transparent; border-radius: 50%; cursor: pointer; background: light-dark(#17594a, #4fb596); color: light-dark(#fff, #05201a); box-shadow: 0 2px 6px rgb(0 0 0 / .16), 0 12px 28px -8px rgb(0 0 0 / .4); transition: scale .15s, background .15s }
button:hover { background: light-dark(#0f4438, #6ac6aa); scale: 1.05 }
button:focus-visible { outline: 3px solid light-dark(#1a6fb8, #8cc4ff); outline-offset: 3px }
svg { width: 28px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; vertical-align: middle }
[aria-expanded=true] path:first-child, [aria-expanded=false] path + path { display: none }
b { position: absolute; top: -4px; right: -4px; min-width: 22px; padding: 0 6px; border: 2px solid #fff; border-radius: 11px; box-sizing: border-box; background: #b3261e; color: #fff; font: 700 12px/18px sans-serif }
div { bottom: 92px; width: min(400px, 100vw - 40px); height: min(640px, 100dvh - 116px); border-radius: 16px; overflow: hidden; background: light-dark(#fff, #161d1a); border: 1px solid light-dark(#d9dfdb, #2d3833); box-shadow: 0 2px 8px rgb(0 0 0 / .12), 0 24px 56px -12px rgb(0 0 0 / .38); visibility: hidden; opacity: 0; translate: 0 12px; transition: opacity .2s, translate .2s, visibility .2s }
div.open { visibility: visible; opacity: 1; translate: 0 }
iframe { display: block; width: 100%; height: 100%; border: 0 }
@media (max-width: 480px), (max-height: 480px) {
  div { inset: 0 auto auto 0; width: 100%; height: 100dvh; border: 0; border-radius: 0; padding: env(safe-area-inset-top) env(safe-area-inset-right) env(safe-area-inset-bottom) env(safe-area-inset-left) }
  button[aria-expanded=true] { display: none }
}
@media (prefers-reduced-motion: reduce) { button, div { transition: none } }
@media (forced-colors: active) { button, div { border-color: ButtonText } }`);
  root.adoptedStyleSheets = [sheet];
  root.innerHTML = `<button hidden aria-expanded="false"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 5.5h16v11H11l-5 4v-4H4zM9 9.5v3M12 8.5v5M15 9.5v3"/><path d="M6 9.5l6 6 6-6"/></svg><b hidden></b></button>`;
  const button = root.firstChild, badge = button.lastChild;
  const panel = root.appendChild(document.createElement("div"));
  const frame = panel.appendChild(document.createElement("iframe"));
  frame.src = `${base}/widget?lang=${encodeURIComponent(script.dataset.lang || document.documentElement.lang)}`;
  // A browser that blocks third-party storage gives the frame none: then this page keeps it, for reloads.
  const kept = () => { try { return JSON.parse(localStorage.rapport); } catch { return null; } };
  frame.onload = () => post("hello", { token, theme: script.dataset.theme, kept: kept() });

  const post = (rapport, more) => frame.contentWindow?.postMessage({ rapport, ...more }, base);
  const show = (open) => {
    isOpen = open;
    if (!ready) return;
    panel.classList.toggle("open", open);
    button.setAttribute("aria-expanded", open);
    fit();
    if (open) frame.focus();
    else button.focus();
    post(open ? "open" : "closed");
  };
  // A phone's keyboard covers the page; the panel keeps to what is still visible.
  const view = window.visualViewport;
  const fit = () => {
    const covered = isOpen && matchMedia("(max-width: 480px), (max-height: 480px)").matches && view?.scale === 1;
    panel.style.height = covered ? `${view.height}px` : "";
    panel.style.top = covered ? `${view.offsetTop}px` : "";
  };
  view?.addEventListener("resize", fit);
  view?.addEventListener("scroll", fit);
  button.onclick = () => show(!isOpen);

  addEventListener("message", ({ origin, source, data }) => {
    if (origin !== base || source !== frame.contentWindow) return;
    if (data.rapport === "state") {
      button.ariaLabel = data.label;
      frame.title = data.title;
      badge.textContent = data.unread > 9 ? "9+" : data.unread;
      badge.hidden = !data.unread;
      button.hidden = false;
      if (!ready) { ready = true; if (isOpen) show(true); }
    }
    if (data.rapport === "keep") try { localStorage.rapport = JSON.stringify(data.kept); } catch { /* Until the page closes. */ }
    if (data.rapport === "close") show(false);
    if (data.rapport === "expired") dispatchEvent(new Event("rapport:expired"));
  });

  window.Rapport = {
    /** A token that the shop's server signed for its signed-in customer. */
    signIn(fresh) { token = fresh; if (ready) post("hello", { token }); },
    signOut() { token = null; post("sign-out"); },
    open() { show(true); },
    close() { if (isOpen) show(false); },
  };
  const attach = () => document.body.append(host);
  if (document.body) attach();
  else addEventListener("DOMContentLoaded", attach);
})();
