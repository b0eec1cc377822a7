/** The screen: pixels through the look-up table, patches at a whole-number scale, refresh rate. */

/** @typedef {import("./types.js").FrameShape} FrameShape */

/** Assumed, since a browser cannot know: 96 px an inch, seen from 57 cm, where 1 cm is 1 degree. */
export const CSS_PX_PER_DEGREE = 38;

/**
 * Screen pixels for each pixel of the stimulus: the whole number that comes nearest to the
 * protocol's visual angle and leaves room on the page.
 * @param {object} stimulus
 * @param {number} stimulus.degPerElement
 * @param {readonly [number, number]} stimulus.elementPx rows, columns
 * @param {{ width: number, height: number }} stimulus.size of all patches together, stimulus px
 * @param {{ width: number, height: number, devicePixelRatio: number }} screen in CSS px
 */
export function wholeScale({ degPerElement, elementPx, size }, screen) {
  const { width, height, devicePixelRatio } = screen;
  const wanted = (degPerElement * CSS_PX_PER_DEGREE * devicePixelRatio) / elementPx[1];
  const room = Math.min(
    (0.9 * width * devicePixelRatio) / size.width,
    (0.7 * height * devicePixelRatio) / size.height,
  );
  return Math.max(1, Math.min(Math.round(wanted), Math.floor(room)));
}

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
  canvas.className = "patch";
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
      const refresh_ms = median(steps);
      const refresh_mad_ms = median(steps.map((step) => Math.abs(step - refresh_ms)));
      resolve({ refresh_ms, refresh_mad_ms, refresh_intervals: steps.length });
    };
    requestFrame(tick);
  });
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (/** @type {number} */ (low) + /** @type {number} */ (high)) / 2;
}
