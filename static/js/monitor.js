/** The page of a study: who is where, looked at again every ten seconds while somebody looks. */

import { localTimes } from "./researchers.js";

const EVERY_MS = 10_000;
const monitor = document.getElementById("monitor");

async function lookAgain() {
  if (!monitor || document.hidden) return;
  try {
    const reply = await fetch(location.pathname, { redirect: "error" });
    if (!reply.ok) return;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const now = page.getElementById("monitor");
    if (!now) return;
    monitor.replaceChildren(...now.childNodes);
    localTimes(monitor);
  } catch {
    // The server is away, or the sign-in has ended: what is shown stays.
  }
}

setInterval(() => void lookAgain(), EVERY_MS);
