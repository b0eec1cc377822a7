/** Whether a device can run the task, found out before anything is stored. */

import { neededWindow } from "../plugin-noise-trial/src/display.js";
import { roundingMs } from "../plugin-noise-trial/src/refreshes.js";

/** @typedef {import("./types.js").Needs} Needs */
/** @typedef {import("./texts.js").Texts} Texts */

/**
 * What a device has, as a page finds out.
 * @typedef {object} Device
 * @property {boolean} keyboard whether it has one, as far as can be known
 * @property {boolean} [touch] whether its screen takes a finger
 * @property {number} width of the window, CSS px
 * @property {number} height
 * @property {number} devicePixelRatio
 * @property {number} refreshMs measured
 */

/**
 * Patches and their size, as `display.js` takes them, and whether buttons stand below them.
 * @param {Needs} needs
 */
export function stimulusOf({ shape, side_by_side, deg_per_element, element_px, touch = false, px_per_degree }) {
  const patches = side_by_side ? shape.intervals : 1;
  const size = { width: shape.width * patches, height: shape.height };
  const fingers = touch && hasTouch();
  return { degPerElement: deg_per_element, elementPx: element_px, size, touch: fingers, pxPerDegree: px_per_degree };
}

/** Whether there is a mouse or the like, beside which there is a keyboard, too. */
export const hasFinePointer = () => matchMedia("(any-pointer: fine)").matches;

/** Whether the screen takes a finger. */
export const hasTouch = () => globalThis.matchMedia?.("(any-pointer: coarse)").matches ?? false;

/**
 * Whether a press is a keyboard's: the one on a touch screen names no place.
 * @param {Pick<KeyboardEvent, "code">} event
 */
export const isKey = ({ code }) => Boolean(code) && code !== "Unidentified";

/**
 * What stands in the way of the task, a sentence each.
 * @param {Needs} needs
 * @param {Device} device
 * @param {Texts} texts
 */
export function obstacles(needs, device, texts) {
  const found = [];
  if (!device.keyboard && !(needs.touch && device.touch)) found.push(texts.plain("device.keyboard"));
  const needed = neededWindow(stimulusOf(needs), device);
  if (needed) {
    // Of pixels, which nobody groups by thousands.
    const [width, height] = [String(device.width), String(device.height)];
    const [needed_width, needed_height] = [String(needed.width), String(needed.height)];
    found.push(texts.plain("device.window", { width, height, needed_width, needed_height }));
  }
  const { timing, shape } = needs;
  if (!(device.refreshMs > 0 && Number.isFinite(device.refreshMs))) {
    found.push(texts.plain("device.no_clock"));
    return found;
  }
  if (roundingMs({ timing, frames: shape.frames, refreshMs: device.refreshMs }) > timing.tolerance_ms) {
    found.push(texts.plain("device.refresh", { n: Math.round(1000 / device.refreshMs) }));
  }
  return found;
}
