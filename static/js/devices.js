/** Whether a device can run the task, found out before anything is stored. */

import { neededWindow } from "../plugin-noise-trial/src/display.js";
import { roundingMs } from "../plugin-noise-trial/src/refreshes.js";

/** @typedef {import("./types.js").Needs} Needs */

/**
 * What a device has, as a page finds out.
 * @typedef {object} Device
 * @property {boolean} keyboard whether it has one, as far as can be known
 * @property {number} width of the window, CSS px
 * @property {number} height
 * @property {number} devicePixelRatio
 * @property {number} refreshMs measured
 */

/**
 * Patches and their size, as `display.js` takes them.
 * @param {Needs} needs
 */
export function stimulusOf({ shape, side_by_side, deg_per_element, element_px }) {
  const patches = side_by_side ? shape.intervals : 1;
  const size = { width: shape.width * patches, height: shape.height };
  return { degPerElement: deg_per_element, elementPx: element_px, size };
}

/**
 * What stands in the way of the task, a sentence each.
 * @param {Needs} needs
 * @param {Device} device
 */
export function obstacles(needs, device) {
  const found = [];
  if (!device.keyboard) {
    found.push(
      "A keyboard is needed: responses are key presses. If one is connected, press any of its keys now.",
    );
  }
  const needed = neededWindow(stimulusOf(needs), device);
  if (needed) {
    found.push(
      `The window is too small for the patterns: it has ${device.width} × ${device.height}, and ` +
        `${needed.width} × ${needed.height} are needed. Please make it larger, or turn the screen.`,
    );
  }
  const { timing, shape } = needs;
  if (!(device.refreshMs > 0 && Number.isFinite(device.refreshMs))) {
    found.push("The time between the screen's pictures cannot be measured in this browser. Please try another.");
    return found;
  }
  if (roundingMs({ timing, frames: shape.frames, refreshMs: device.refreshMs }) > timing.tolerance_ms) {
    found.push(
      `The screen shows ${Math.round(1000 / device.refreshMs)} pictures a second, with which this task's ` +
        "durations cannot be kept. A power-saving mode may be the reason.",
    );
  }
  return found;
}
