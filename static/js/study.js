/** The consent page: look at the device first, and find one's own session again. */

import { hasFinePointer, hasTouch, isKey, obstacles } from "./devices.js";
import { measureRefresh } from "../plugin-noise-trial/src/display.js";
import { tellOffset } from "./offset.js";
import { element, pageData } from "./page.js";
import { Texts } from "./texts.js";

const agreement = /** @type {HTMLFormElement} */ (element("agreement"));
// One server has several studies: each has a link of its own.
const KEPT = `yoked link ${new URL(agreement.action).pathname}`;
const INTERVALS = 20; // enough for a median; the session measures again

const needs = /** @type {import("./types.js").Needs & import("./types.js").Spoken} */ (pageData());
const texts = new Texts(needs);
const agree = /** @type {HTMLButtonElement} */ (element("agree"));
// A device without a mouse may still have a keyboard, which only a press can tell.
let keyboard = hasFinePointer();

/**
 * Keep the page's token for this tab: whoever comes back and agrees again finds their session.
 * It goes when the session is done, so that the next person at this screen has one of their own.
 */
function keepToken() {
  const field = /** @type {HTMLInputElement} */ (element("token"));
  try {
    field.value = sessionStorage.getItem(KEPT) ?? field.value;
    sessionStorage.setItem(KEPT, field.value);
  } catch {
    // Without storage every visit has a token of its own.
  }
}

async function check() {
  element("checking").hidden = !agree.disabled;
  const { refresh_ms } = await measureRefresh((tick) => requestAnimationFrame(tick), INTERVALS);
  const size = { width: innerWidth, height: innerHeight, devicePixelRatio };
  const found = obstacles(needs, { keyboard, touch: hasTouch(), ...size, refreshMs: refresh_ms }, texts);
  element("checking").hidden = true;
  element("obstacles").hidden = found.length === 0;
  element("obstacle-list").replaceChildren(
    ...found.map((sentence) => {
      const item = document.createElement("li");
      item.textContent = sentence;
      return item;
    }),
  );
  agree.disabled = found.length > 0;
}

keepToken();
tellOffset();
addEventListener("keydown", (event) => {
  if (keyboard || !isKey(event)) return;
  keyboard = true;
  void check();
});
element("check-again").addEventListener("click", () => void check());
addEventListener("resize", () => void check());
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) keepToken();
});
await check();
