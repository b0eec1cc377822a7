/** The page's own generator: every draw, table and frame of the golden vectors, to the digest. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { draws, philox, wordsOf } from "../../static/plugin-noise-trial/src/philox.js";
import { Stimulus, tableOf } from "../../static/plugin-noise-trial/src/stimulus.js";
import { base64, basisHash, imagesOf, sha256, steps, vectors } from "./golden.js";

const WHITE = vectors("yoked-1");
const BASIS = vectors("yoked-1-basis");
const hex = (/** @type {number} */ word) => word.toString(16).padStart(8, "0");
const words = (/** @type {string[]} */ texts) => /** @type {any} */ (texts.map((text) => parseInt(text, 16)));

test("Philox gives the published answers", () => {
  for (const { counter, key, words: wanted } of WHITE.philox4x32_10) {
    assert.deepEqual(philox(words(counter), words(key)).map(hex), wanted);
  }
});

test("draws are those of the contract", () => {
  for (const { seed, id, stream, first } of WHITE.draws_u16) {
    assert.deepEqual([...draws(seed, id, stream, first.length)], first);
  }
});

test("a seed beyond 2^53 keeps its last bit, and one beyond 2^63 is none", () => {
  assert.deepEqual(wordsOf("9223372036854775807"), [0xffffffff, 0x7fffffff]);
  assert.throws(() => wordsOf("9223372036854775808"), /a seed or id must be in \[0, 2\^63\), got 92/);
});

test("tables travel as steps and come back level by level", () => {
  for (const { noise_sd, sha256_int16_le } of WHITE.gaussian_levels) {
    assert.equal(sha256(tableOf(steps("gaussian", noise_sd))), sha256_int16_le);
  }
  for (const { fineness, sd, sha256_int16_le, first_draw_of_lowest_levels: firsts } of BASIS.tables) {
    const found = steps("gaussian", sd, fineness);
    assert.equal(sha256(tableOf(found)), sha256_int16_le);
    // A level that no draw has begins where the next one does.
    const begun = found.starts.filter((start, i) => start !== found.starts[i + 1]);
    assert.deepEqual(begun.slice(0, firsts.length), firsts);
  }
});

test("frames of white noise have the digests of the contract", () => {
  for (const frame of WHITE.frames) {
    const { grid, signal_elements: box, signal_level, intervals, target } = frame;
    const [f, r, c] = box;
    const levels = Array.from({ length: grid[0] * grid[1] * grid[2] }, (_, n) => {
      const at = [Math.floor(n / grid[1] / grid[2]), Math.floor(n / grid[2]) % grid[1], n % grid[2]];
      const isIn = [f, r, c].every((range, axis) => range[0] <= (at[axis] ?? 0) && (at[axis] ?? 0) <= range[1]);
      return isIn ? signal_level : 0;
    });
    const stimulus = new Stimulus({
      ...{ grid, element_px: frame.element_px, intervals, basis: null },
      tables: { main: [steps(frame.noise, frame.noise_sd)] },
    });
    const signals = Array.from({ length: intervals }, (_, i) => (i === target ? { levels: base64(levels) } : {}));
    const bytes = stimulus.frames({ seed: String(frame.seed), stimulusId: frame.stimulus_id, kind: "main", signals });
    assert.equal(sha256(bytes), frame.sha256, frame.case);
  }
});

test("the images of every recipe have its hash", () => {
  for (const { basis, basis_sha256 } of BASIS.recipes.filter((/** @type {any} */ one) => one.basis.grid[2] < 100)) {
    assert.equal(basisHash(imagesOf(basis, basis.grid), basis.grid), basis_sha256, basis.kind);
  }
});

for (const one of BASIS.cases) {
  test(`noise on a basis, ${one.case}: coefficients and frames have the digests of the contract`, () => {
    const [rows, columns] = one.element_px;
    const [intervals, frames, height, width] = one.shape;
    const grid = /** @type {[number, number, number]} */ ([frames, height / rows, width / columns]);
    const images = imagesOf(one.basis, grid);
    assert.equal(basisHash(images, grid), one.basis_sha256);
    const sds = /** @type {number[]} */ (sdsOf(one, images, grid));
    const distinct = [...new Set(sds)];
    const parameters = {
      ...{ grid, element_px: one.element_px, intervals },
      tables: { main: distinct.map((/** @type {number} */ sd) => steps(one.kind, sd, one.fineness)) },
      basis: {
        images: {
          atoms: images.map(({ size, values }) => ({ size, values: base64(values) })),
          which: images.map((_, k) => k),
          places: images.map(({ place }) => place),
        },
        row: sds.map((sd) => distinct.indexOf(sd)),
        fineness: one.fineness,
        floor: one.floor_sd > 0 ? steps("gaussian", one.floor_sd) : null,
        picture: one.picture_levels ? base64(one.picture_levels) : null,
        opposite: one.pairs === "opposite",
      },
    };
    const stimulus = new Stimulus(parameters);
    for (const trial of one.trials) {
      const drawn = Array.from({ length: intervals }, (_, i) => [...stimulus.drawn(trial.seed, trial.stimulus_id, parameters.tables.main, i)]);
      assert.equal(sha256(Int16Array.from(drawn.flat())), trial.coefficients_sha256_int16_le);
      const signals = drawn.map((_, i) => (i === trial.signal_in_interval ? { units: one.signal_coefficients } : {}));
      const bytes = stimulus.frames({ seed: trial.seed, stimulusId: trial.stimulus_id, kind: "main", signals });
      assert.equal(sha256(bytes), trial.sha256);
    }
  });
}

/**
 * The SD of each coefficient: its weight's share of the noise where that is strongest.
 * @param {any} one
 * @param {import("./golden.js").Image[]} images
 * @param {[number, number, number]} grid
 */
function sdsOf(one, images, grid) {
  const weights = one.integer_weights ?? images.map((_, k) => integerWeight(one.basis, images, k));
  const total = new Float64Array(grid[0] * grid[1] * grid[2]);
  images.forEach(({ size, place, values }, k) =>
    values.forEach((value, n) => {
      const [f, i, j] = [Math.floor(n / size[2] / size[1]) + place[0], (Math.floor(n / size[2]) % size[1]) + place[1], (n % size[2]) + place[2]];
      if (i < 0 || j < 0 || i >= grid[1] || j >= grid[2]) return;
      const at = (f * grid[1] + i) * grid[2] + j;
      total[at] = (total[at] ?? 0) + weights[k] ** 2 * value ** 2;
    }),
  );
  const strongest = Math.sqrt(total.reduce((most, sum) => Math.max(most, sum), 0));
  return weights.map((/** @type {number} */ weight) => (one.catch_sd ?? one.sd) * ((127 * weight) / strongest));
}

/**
 * Of a coefficient of bumps, whose weights are one for each scale.
 * @param {any} basis
 * @param {import("./golden.js").Image[]} images
 * @param {number} k
 */
function integerWeight(basis, images, k) {
  if (!basis.weights) return 10000;
  const sizes = [...new Set(images.map(({ size }) => size[2]))];
  return 10000 * basis.weights[sizes.indexOf(images[k]?.size[2] ?? 0)];
}
