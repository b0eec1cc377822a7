/** What a participant views the task on: measured before the first trial, and again as it changes. */

import { hasFinePointer, hasTouch, isKey, obstacles, stimulusOf } from "./devices.js";
import { fitsAt, isCanvasExact, measureRefresh, wholeScale, CSS_PX_PER_DEGREE } from "../plugin-noise-trial/src/display.js";

/** @typedef {import("./types.js").PageData} PageData */
/** @typedef {Record<string, any>} Display what is stored of a screen */

/** How much the time between refreshes may differ from the measured one, before it is measured again. */
const OTHER_RATE = 0.1;

export class Viewing {
  #page;
  /** @type {Display | null} */
  #display = null;
  #hasKeyboard = false;
  /** Whether the screen refreshed at another rate than was measured, in the trial before. */
  #hasOtherRate = false;

  /** @param {PageData} page */
  constructor(page) {
    this.#page = page;
    this.found(page.viewing.found);
    addEventListener("keydown", (event) => void (this.#hasKeyboard ||= isKey(event)), { capture: true });
  }

  /**
   * Take what was measured of screen and distance; patches are as large as it asks from then on.
   * @param {import("./types.js").ViewingFound | null} found
   */
  found(found) {
    this.#page = { ...this.#page, px_per_degree: found?.px_per_degree };
  }

  /** Measured time between refreshes. */
  get refreshMs() {
    return /** @type {number} */ (this.#display?.refresh_ms ?? 1000 / 60);
  }

  /** Screen pixels for each pixel of the stimulus; the same until the page's zoom changes. */
  get scale() {
    return /** @type {number} */ (this.#display?.scale ?? wholeScale(stimulusOf(this.#page), windowNow()));
  }

  get devicePixelRatio() {
    return /** @type {number} */ (this.#display?.device_pixel_ratio ?? devicePixelRatio);
  }

  /** Measure; return all that is worth storing. */
  async measure() {
    const refresh = await measureRefresh((callback) => requestAnimationFrame(callback));
    const isSame = this.#display !== null && devicePixelRatio === this.devicePixelRatio;
    this.#hasOtherRate = false;
    this.#display = {
      ...refresh,
      scale: isSame ? this.scale : wholeScale(stimulusOf(this.#page), windowNow()),
      device_pixel_ratio: devicePixelRatio,
      screen_px: [screen.width, screen.height],
      window_px: [innerWidth, innerHeight],
      full_screen: document.fullscreenElement !== null,
      canvas_exact: isCanvasExact(document, this.#page.lut),
      css_px_per_degree: (this.#page.px_per_degree ?? CSS_PX_PER_DEGREE * devicePixelRatio) / devicePixelRatio,
    };
    return this.#display;
  }

  /**
   * Measure again between blocks.
   * @param {import("./texts.js").Texts} texts
   * @returns {Promise<{ changed: Display | null, found: string[] }>} the display, if it is not what it
   *   was, and what stands in the way, a sentence each
   */
  async again(texts) {
    const before = this.#display;
    const now = await this.measure();
    const device = { ...windowNow(), keyboard: this.hasKeyboard, touch: hasTouch(), refreshMs: this.refreshMs };
    const found = obstacles(this.#page, device, texts);
    // A keyboard that is unplugged in the next block is missed after it.
    if (found.length === 0) this.#hasKeyboard = false;
    return { changed: isOther(before, now) ? now : null, found };
  }

  get hasKeyboard() {
    return hasFinePointer() || this.#hasKeyboard;
  }

  /**
   * Take note of how fast the screen refreshed in a trial.
   * @param {number} refreshMs
   */
  seen(refreshMs) {
    this.#hasOtherRate = isOtherRate(refreshMs, this.refreshMs);
  }

  /** Whether the next trial needs it measured again. */
  get isStale() {
    return devicePixelRatio !== this.devicePixelRatio || this.#hasOtherRate;
  }

  fits() {
    return fitsAt(this.scale, stimulusOf(this.#page), windowNow());
  }

  /** Wait until the window has room for the patches, as large as they were before. */
  untilItFits() {
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const look = () => {
          if (!this.fits()) return;
          removeEventListener("resize", look);
          resolve();
        };
        addEventListener("resize", look);
        look();
      })
    );
  }

  /**
   * Wait until something changes that may have been in the way, or somebody presses the button.
   * @param {HTMLElement | null} button
   */
  untilItChanges(button) {
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const controller = new AbortController();
        const done = () => {
          controller.abort();
          resolve();
        };
        const { signal } = controller;
        button?.addEventListener("click", done, { signal });
        addEventListener("resize", done, { signal });
        if (!this.hasKeyboard) addEventListener("keydown", (event) => void (isKey(event) && done()), { signal });
      })
    );
  }
}

function windowNow() {
  return { width: innerWidth, height: innerHeight, devicePixelRatio };
}

/**
 * @param {number} refreshMs
 * @param {number} before
 */
function isOtherRate(refreshMs, before) {
  return Math.abs(refreshMs / before - 1) > OTHER_RATE;
}

/**
 * Whether a screen is not what it was; its rate is never measured quite the same.
 * @param {Display | null} before
 * @param {Display} now
 */
export function isOther(before, now) {
  if (!before || isOtherRate(now.refresh_ms, before.refresh_ms)) return true;
  const names = Object.keys(now).filter((name) => !name.startsWith("refresh_"));
  return names.some((name) => String(now[name]) !== String(before[name]));
}
