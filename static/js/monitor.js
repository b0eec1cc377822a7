/**
 * What changes while somebody looks is looked at again: every ten seconds, and sooner while something is computed.
 * The API says what is there now; the part of the page is fetched where that is no longer what it was.
 */

import { localTimes } from "./researchers.js";

const EVERY_MS = 10_000;
const SOON_MS = 2_000;
const monitor = document.getElementById("monitor");
/** What the API said when the page's part was fetched last. */
let known = "";

async function lookAgain() {
  if (!monitor || document.hidden) return;
  try {
    const told = await fetch(monitor.dataset.api ?? "", { redirect: "error" });
    if (!told.ok) return;
    const said = await told.text();
    if (said === known) return;
    const reply = await fetch(location.pathname, { redirect: "error" });
    if (!reply.ok) return;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const now = page.getElementById("monitor");
    if (!now) return;
    monitor.toggleAttribute("data-computing", now.hasAttribute("data-computing"));
    monitor.replaceChildren(...now.childNodes);
    localTimes(monitor);
    known = said;
  } catch {
    // The server is away, or the sign-in has ended: what is shown stays.
  }
}

async function lookOn() {
  await lookAgain();
  next();
}

function next() {
  setTimeout(() => void lookOn(), monitor?.hasAttribute("data-computing") ? SOON_MS : EVERY_MS);
}

next();
