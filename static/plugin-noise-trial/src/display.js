/** The screen: pixels through the look-up table, patches at a whole-number scale, refresh rate. */

import { median } from "./refreshes.js";
import { className } from "./style.js";

/** @typedef {import("./types.js").FrameShape} FrameShape */

/** Assumed, since a browser cannot know: 96 px an inch, seen from 57 cm, where 1 cm is 1 degree. */
export const CSS_PX_PER_DEGREE = 38;

/** Height in CSS px of what stands above and below the patches: marks, and the progress bar. */
const BESIDE_PX = 110;
/** Height in CSS px of the buttons below the patches, on a screen that takes touch. */
const TOUCH_PX = 104;
/** How much smaller than the protocol's visual angle a patch may be. */
const SMALLEST_SHARE = 2 / 3;

/**
 * @typedef {object} Stimulus
 * @property {number} degPerElement
 * @property {readonly [number, number]} elementPx rows, columns
 * @property {{ width: number, height: number }} size of all patches together, stimulus px
 * @property {boolean} [touch] whether there are buttons below
 * @property {number} [pxPerDegree] screen px, where it was measured; else it is assumed
 *
 * @typedef {{ width: number, height: number, devicePixelRatio: number }} Window in CSS px
 */

/**
 * Screen pixels for each pixel of the stimulus: the whole number that comes nearest to the
 * protocol's visual angle and leaves room on the page.
 * @param {Stimulus} stimulus
 * @param {Window} window
 */
export function wholeScale(stimulus, window) {
  return Math.max(1, Math.min(wantedScale(stimulus, window), Math.floor(room(stimulus, window))));
}

/**
 * Whether a window has room for patches of nearly the protocol's visual angle; else its size in CSS
 * px that would have.
 * @param {Stimulus} stimulus
 * @param {Window} window
 * @returns {{ width: number, height: number } | null} null where there is room
 */
export function neededWindow(stimulus, window) {
  const least = Math.ceil(SMALLEST_SHARE * wantedScale(stimulus, window));
  if (fitsAt(least, stimulus, window)) return null;
  const { size, touch = false } = stimulus;
  const [width, height] = [size.width, size.height].map(
    (side) => (side * least) / window.devicePixelRatio,
  );
  const [w, h] = [/** @type {number} */ (width), /** @type {number} */ (height)];
  return { width: Math.ceil(w / 0.9), height: Math.ceil(Math.max(h / 0.7, h + besidePx(touch))) };
}

/**
 * Whether patches at a scale have room.
 * @param {number} scale
 * @param {Pick<Stimulus, "size" | "touch">} stimulus
 * @param {Window} window
 */
export function fitsAt(scale, stimulus, window) {
  return scale <= room(stimulus, window);
}

/**
 * @param {Stimulus} stimulus
 * @param {Window} window
 */
function wantedScale({ degPerElement, elementPx, pxPerDegree }, { devicePixelRatio }) {
  const perDegree = pxPerDegree ?? CSS_PX_PER_DEGREE * devicePixelRatio;
  const wanted = (degPerElement * perDegree) / elementPx[1];
  return Math.max(1, Math.round(wanted));
}

/**
 * The largest scale at which all patches are on the page.
 * @param {Pick<Stimulus, "size" | "touch">} stimulus
 * @param {Window} window
 */
function room({ size, touch = false }, { width, height, devicePixelRatio }) {
  const free = Math.max(0, Math.min(0.7 * height, height - besidePx(touch)));
  return Math.min(
    (0.9 * width * devicePixelRatio) / size.width,
    (free * devicePixelRatio) / size.height,
  );
}

/** @param {boolean} touch */
const besidePx = (touch) => BESIDE_PX + (touch ? TOUCH_PX : 0);

/**
 * RGBA bytes of contrast levels, each level through the table, opaque.
 * @param {Uint8Array} levels
 * @param {readonly number[]} lut
 * @returns {Uint8ClampedArray<ArrayBuffer>}
 */
export function rgba(levels, lut) {
  const bytes = new Uint8ClampedArray(4 * levels.length);
  levels.forEach((level, i) => {
    bytes.fill(lut[level] ?? 0, 4 * i, 4 * i + 3);
    bytes[4 * i + 3] = 255;
  });
  return bytes;
}

/**
 * The frames of a trial as images, by interval and frame.
 * @param {Uint8Array} bytes contrast levels (interval, frame, y, x)
 * @param {FrameShape} shape
 * @param {readonly number[]} lut
 * @returns {ImageData[][]}
 */
export function trialImages(bytes, shape, lut) {
  const { intervals, frames, height, width } = shape;
  const size = height * width;
  if (bytes.length !== intervals * frames * size) {
    throw new Error(`a trial must have ${intervals * frames * size} bytes, got ${bytes.length}`);
  }
  return Array.from({ length: intervals }, (_, interval) =>
    Array.from({ length: frames }, (_, frame) => {
      const first = (interval * frames + frame) * size;
      return new ImageData(rgba(bytes.subarray(first, first + size), lut), width, height);
    }),
  );
}

/**
 * An opaque canvas in which one canvas pixel is one stimulus pixel, shown at a whole number of
 * screen pixels without smoothing.
 * @param {Document} doc
 * @param {{ width: number, height: number }} size in stimulus px
 * @param {number} scale screen px for each stimulus px
 * @param {number} devicePixelRatio
 */
export function makePatch(doc, { width, height }, scale, devicePixelRatio) {
  const canvas = doc.createElement("canvas");
  canvas.className = className("patch");
  // What the pixels depend on stands with the element, where no page's rule outranks it.
  canvas.style.display = "block";
  canvas.style.imageRendering = "pixelated";
  canvas.width = width;
  canvas.height = height;
  canvas.style.width = `${(width * scale) / devicePixelRatio}px`;
  canvas.style.height = `${(height * scale) / devicePixelRatio}px`;
  const context = canvas.getContext("2d", { alpha: false, colorSpace: "srgb" });
  if (!context) throw new Error("this browser offers no 2-D canvas");
  return { canvas, context };
}

/**
 * Move an element onto whole screen pixels; between them, elements would differ in size by a pixel.
 * @param {HTMLElement} element
 * @param {number} devicePixelRatio
 */
export function snapToScreen(element, devicePixelRatio) {
  const { left, top } = element.getBoundingClientRect();
  const shift = (/** @type {number} */ at) =>
    (Math.round(at * devicePixelRatio) - at * devicePixelRatio) / devicePixelRatio;
  element.style.position = "relative";
  element.style.left = `${shift(left)}px`;
  element.style.top = `${shift(top)}px`;
}

/**
 * Whether a canvas of this browser holds exactly the levels it was given. A probe, not a proof:
 * some browsers falsify what is read back, and only there.
 * @param {Document} doc
 * @param {readonly number[]} lut
 */
export function isCanvasExact(doc, lut) {
  const { context } = makePatch(doc, { width: 16, height: 16 }, 1, 1);
  const wanted = rgba(Uint8Array.from({ length: 256 }, (_, level) => level), lut);
  context.putImageData(new ImageData(wanted, 16, 16), 0, 0);
  const got = context.getImageData(0, 0, 16, 16).data;
  return wanted.every((byte, i) => byte === got[i]);
}

/**
 * Measure the time between refreshes.
 * @param {(callback: (timeMs: number) => void) => unknown} requestFrame
 * @param {number} [intervals] how many to measure, after a few that are thrown away
 * @returns {Promise<{ refresh_ms: number, refresh_mad_ms: number, refresh_intervals: number }>}
 *   the median, and the median absolute deviation from it
 */
export function measureRefresh(requestFrame, intervals = 60) {
  const warmUp = 10;
  const stamps = /** @type {number[]} */ ([]);
  return new Promise((resolve) => {
    /** @param {number} timeMs */
    const tick = (timeMs) => {
      stamps.push(timeMs);
      if (stamps.length <= warmUp + intervals) return void requestFrame(tick);
      const steady = stamps.slice(warmUp);
      const steps = steady.slice(1).map((stamp, i) => stamp - /** @type {number} */ (steady[i]));
      // Where stamps are coarser than refreshes most steps are 0, but their sum is right.
      const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
      const refresh_ms = median(steps) || mean;
      const refresh_mad_ms = median(steps.map((step) => Math.abs(step - refresh_ms)));
      resolve({ refresh_ms, refresh_mad_ms, refresh_intervals: steps.length });
    };
    requestFrame(tick);
  });
}
