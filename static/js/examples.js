/** Examples in the instructions: patches as exact as a trial's, and the keys that are right for them. */

import { makePatch, snapToScreen, trialImages } from "../plugin-noise-trial/src/display.js";
import { keycap } from "./screens.js";

/** @typedef {import("./types.js").PageData} PageData */
/** @typedef {import("./types.js").Examples} Examples */
/** @typedef {import("./texts.js").Texts} Texts */

/** The widest that an example may be, CSS px: two stand beside each other on a sheet. */
const WIDEST_PX = 270;
/** Beside the sheet's text, of a narrow window. */
const BESIDE_PX = 64;

/**
 * The examples without their pixels, which come later.
 * @param {Texts} texts
 * @param {Examples} examples
 * @param {PageData} page
 * @param {readonly string[]} labels of the response keys
 */
export function examplesScreen(texts, { responses }, { shape, side_by_side }, labels) {
  const inTime = shape.intervals === 2 && !side_by_side;
  const names = inTime ? [texts.html("example.first"), texts.html("example.second")] : [];
  const places = Array.from({ length: shape.intervals }, (_, interval) => {
    const name = names[interval] ? `<span>${names[interval]}</span>` : "";
    return `<div class="example-place"><div class="example-patch" role="img" aria-label="${texts.html("example.picture")}"></div>${name}</div>`;
  });
  const figures = responses.map((keys) => {
    const pressed = texts.list(keys.map((key) => keycap(labels[key] ?? "")), "disjunction");
    return `
      <figure><div class="example-places">${places.join("")}</div>
      <figcaption>${texts.html("example.press", { keys: pressed })}</figcaption></figure>`;
  });
  return `
    <section class="examples"><h2>${texts.html("example.heading")}</h2>
    <p>${texts.html("example.clear")}</p><div class="example-row">${figures.join("")}</div></section>`;
}

/**
 * Put the pixels in.
 * @param {HTMLElement} root
 * @param {Uint8Array} levels contrast levels (target, interval, y, x)
 * @param {PageData} page
 * @param {number} scale of the trials: a whole number, as theirs is
 */
export function drawExamples(root, levels, { shape, lut }, scale) {
  const places = [...root.querySelectorAll(".example-patch")];
  if (places.length === 0) return; // who was faster than the pixels has gone on
  const single = { ...shape, intervals: places.length, frames: 1 };
  const fitting = exampleScale(shape, scale, { width: innerWidth, devicePixelRatio });
  const images = trialImages(levels, single, lut);
  places.forEach((place, i) => {
    const { canvas, context } = makePatch(document, shape, fitting, devicePixelRatio);
    context.putImageData(/** @type {ImageData} */ (images[i]?.[0]), 0, 0);
    place.replaceChildren(canvas);
  });
  for (const canvas of root.querySelectorAll("canvas")) snapToScreen(canvas, devicePixelRatio);
}

/**
 * Screen pixels for each pixel of an example: those of the trials, or fewer, where it has no room.
 * @param {{ width: number, intervals: number }} shape
 * @param {number} scale
 * @param {{ width: number, devicePixelRatio: number }} window
 */
export function exampleScale({ width, intervals }, scale, window) {
  const free = Math.min(WIDEST_PX, window.width - BESIDE_PX) * window.devicePixelRatio;
  return Math.max(1, Math.min(scale, Math.floor(free / (width * intervals))));
}
