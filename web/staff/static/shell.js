/* On every staff page: the heartbeat that keeps presence honest, and signing out. */
import { write } from "/static/staff/http.js";

const HEARTBEAT = 30_000;
let touched = true;
for (const kind of ["keydown", "pointerdown", "wheel", "touchstart"]) {
  addEventListener(kind, () => { touched = true; }, { passive: true, capture: true });
}

async function beat() {
  const background = !touched;
  touched = false;
  try {
    await write("/staff/heartbeat", {}, { background });
  } catch (error) {
    if (error.status) console.warn(error.message);
  }
}
setInterval(beat, HEARTBEAT);
beat();

document.querySelector("#sign-out")?.addEventListener("click", async () => {
  const leaving = [];
  dispatchEvent(new CustomEvent("rapport:leaving", { detail: { wait: (promise) => leaving.push(promise) } }));
  await Promise.allSettled(leaving);
  try {
    await write("/sign-out");
  } catch (error) {
    if (!error.status) return alert(error.message);
  }
  // The next person at this device shall find no half-written reply; the server keeps them for their writer.
  for (const key of Object.keys(localStorage)) if (key.startsWith("rapport.draft.")) localStorage.removeItem(key);
  location.assign("/sign-in");
});
