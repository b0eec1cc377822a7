/** How sure a response was: asked after it, and answered by a key. */

import { listenForKeys } from "../plugin-noise-trial/src/keyboard.js";
import { confidenceScreen } from "./screens.js";

/** @typedef {import("./types.js").Confidence} Confidence */
/** @typedef {import("./texts.js").Texts} Texts */

/**
 * Show the question, and give the step of the key that is pressed, from 1: the least sure.
 * @param {Confidence} asked
 * @param {object} options
 * @param {Pick<HTMLElement, "innerHTML" | "querySelectorAll">} options.display
 * @param {EventTarget} options.target where keys are pressed
 * @param {(callback: (timeMs: number) => void) => unknown} options.requestFrame
 * @param {Texts} options.texts
 * @param {(key: import("./types.js").Key) => string} options.labelOf what is printed on a key
 * @param {boolean} [options.touch] whether the keys are buttons, too
 * @returns {Promise<number>}
 */
export function askConfidence(asked, { display, target, requestFrame, texts, labelOf, touch = false }) {
  display.innerHTML = confidenceScreen(texts, asked.prompt, asked.keys.map(labelOf), touch);
  const buttons = touch ? [...display.querySelectorAll("button")] : [];
  const keyboard = listenForKeys(asked.keys, { target, buttons, onEarly: () => {} });
  return new Promise((resolve) => {
    /** @param {number} timeMs */
    const open = (timeMs) => {
      keyboard.open(timeMs);
      requestFrame(look);
    };
    const look = () => {
      const press = keyboard.press();
      if (!press) return void requestFrame(look);
      keyboard.close();
      display.innerHTML = "";
      resolve(press.response + 1);
    };
    requestFrame(open);
  });
}
