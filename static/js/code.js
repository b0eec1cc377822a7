/** The page of the code: copy it, keep the eyes at ease, and let the next person begin anew. */

import { copy } from "./copy.js";
import { tellOffset } from "./offset.js";

const data = document.getElementById("page-data");
if (data) {
  // The session is over: at this screen the next one is somebody else's.
  try {
    const links = Object.keys(sessionStorage).filter((key) => key.startsWith("yoked link"));
    for (const link of links) sessionStorage.removeItem(link);
    const base = location.pathname.replace(/\/done$/, "");
    for (const kept of [`yoked ${base}`, `yoked shown ${base}`]) localStorage.removeItem(kept);
  } catch {
    // Nothing was kept.
  }
  const { gray } = JSON.parse(data.textContent ?? "{}");
  document.documentElement.style.setProperty("--background", `rgb(${gray}, ${gray}, ${gray})`);
}

tellOffset();
const readyAt = document.getElementById("ready-at");
if (readyAt) {
  const at = new Date(readyAt.getAttribute("datetime") ?? "");
  readyAt.textContent = at.toLocaleString(document.documentElement.lang, { dateStyle: "full", timeStyle: "short" });
}

const button = document.getElementById("copy-code");
const code = document.getElementById("completion-code");
const copied = document.getElementById("copied");
if (button && code && copied) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    copied.textContent = ((await copy(code)) ? button.dataset.copied : button.dataset.selected) ?? "";
  });
}
