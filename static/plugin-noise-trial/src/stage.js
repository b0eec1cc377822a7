/** What a trial puts on the page: its patches, with marks outside them. */

import { makePatch, snapToScreen, trialImages } from "./display.js";
import { className, useStyle } from "./style.js";

/** @typedef {import("./types.js").Step} Step */

/**
 * What is shown, and how large.
 * @typedef {object} Shown
 * @property {number} trial
 * @property {() => Uint8Array} bytes
 * @property {import("./types.js").FrameShape} shape
 * @property {boolean} side_by_side
 * @property {readonly number[]} lut
 * @property {number} background
 * @property {number} scale
 * @property {number} device_pixel_ratio
 * @property {readonly string[]} [touch] what is written on the buttons, where the screen takes touch
 */

/** The patches of a trial with their marks, and all images ready before its first refresh. */
export class Stage {
  #trial;
  #images;
  #patches;
  #fixation;

  /**
   * @param {HTMLElement} display
   * @param {Shown} trial
   */
  constructor(display, trial) {
    this.#trial = trial;
    this.bytes = trial.bytes();
    this.#images = trialImages(this.bytes, trial.shape, trial.lut);
    useStyle(document);
    const root = document.createElement("div");
    root.className = className("stage");
    this.#patches = Array.from({ length: trial.side_by_side ? trial.shape.intervals : 1 }, () => {
      const patch = makePatch(document, trial.shape, trial.scale, trial.device_pixel_ratio);
      const place = document.createElement("div");
      place.className = className("place");
      place.append(mark("guide"), patch.canvas, mark("guide"));
      root.append(place);
      return patch;
    });
    this.#fixation = mark("fixation");
    root.append(this.#fixation);
    /** What stands for the keys on a screen that takes touch; empty elsewhere. */
    this.buttons = (trial.touch ?? []).map(button);
    display.replaceChildren(root, ...(this.buttons.length > 0 ? [bar(this.buttons)] : []));
    root.classList.toggle(className("above"), this.buttons.length > 0);
    for (const { canvas } of this.#patches) snapToScreen(canvas, trial.device_pixel_ratio);
    this.#clear();
  }

  /** @param {Step | null} step */
  draw(step) {
    this.#fixation.hidden = step?.show !== "fixation";
    if (step?.show !== "stimulus" && step?.show !== "cue") this.#clear();
    else if (this.#trial.side_by_side) {
      this.#patches.forEach((_, interval) => this.#put(interval, interval, step.frame));
    } else this.#put(0, step.presentation, step.frame);
  }

  /**
   * @param {number} place
   * @param {number} interval
   * @param {number} frame
   */
  #put(place, interval, frame) {
    const patch = this.#patches[place];
    const image = this.#images[interval]?.[frame];
    if (!patch || !image) return;
    patch.context.putImageData(image, 0, 0);
    const detail = { trial: this.#trial.trial, interval, frame, canvas: patch.canvas };
    document.dispatchEvent(new CustomEvent("yoked:interval", { detail }));
  }

  #clear() {
    const gray = this.#trial.lut[this.#trial.background];
    for (const { context, canvas } of this.#patches) {
      context.fillStyle = `rgb(${gray}, ${gray}, ${gray})`;
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
  }
}

/** @param {string} label */
function button(label) {
  const element = document.createElement("div");
  element.className = className("touch");
  element.setAttribute("role", "button");
  element.textContent = label;
  return element;
}

/** @param {readonly HTMLElement[]} buttons */
function bar(buttons) {
  const element = document.createElement("div");
  element.className = className("touches");
  element.append(...buttons);
  return element;
}

/** @param {string} name */
function mark(name) {
  const element = document.createElement("span");
  element.className = className(name);
  element.setAttribute("aria-hidden", "true");
  return element;
}
