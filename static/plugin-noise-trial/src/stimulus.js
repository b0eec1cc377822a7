/**
 * Frames of a trial from seed and id: the stimulus contract `yoked-1`, in integers, and its extension
 * by noise on a basis. The same bytes as Python's, to the SHA-256.
 */

import { draws } from "./philox.js";

const N_DRAWS = 65536;
const FULL_CONTRAST = 127;
const BACKGROUND = 128;
const NOISE_STREAM = 16;
const FLOOR_STREAM = 1024;

/**
 * A table from draws to levels, as steps: the level `lowest + i` begins at the draw `starts[i]`.
 * @typedef {{ lowest: number, starts: readonly number[] }} Steps
 *
 * Images of a basis. Image k is atom `which[k]` with its first element at `places[k]` (frame, row,
 * column); what lies beyond the field is cut off.
 * @typedef {object} Images
 * @property {readonly { size: readonly [number, number, number], values: string }[]} atoms values:
 *   int8 in base64, C order
 * @property {readonly number[]} which
 * @property {readonly (readonly [number, number, number])[]} places
 *
 * @typedef {object} Basis what makes levels coefficients of images
 * @property {Images} images
 * @property {readonly number[]} row which of the tables each coefficient has
 * @property {number} fineness
 * @property {Steps | null} floor of white noise that is added
 * @property {string | null} picture levels that are equal in all alternatives, int8 in base64
 * @property {boolean} opposite whether interval 1 has the coefficients of interval 0, turned
 *
 * @typedef {object} StimulusParameters
 * @property {readonly [number, number, number]} grid frames, rows, columns of the noise
 * @property {readonly [number, number]} element_px
 * @property {number} intervals
 * @property {Record<string, readonly Steps[]>} tables by kind of block; "main" is the others'
 * @property {Basis | null} basis
 *
 * Of one interval: `levels` are added to the frame, int8 in base64; `units` to coefficients.
 * @typedef {{ levels?: string, units?: readonly number[] }} Signal
 */

export class Stimulus {
  #parameters;
  #size;
  /** @type {Map<Steps, Int16Array>} */
  #tables = new Map();
  /** @type {Map<string, Int8Array>} */
  #decoded = new Map();

  /** @param {StimulusParameters} parameters */
  constructor(parameters) {
    this.#parameters = parameters;
    this.#size = parameters.grid[0] * parameters.grid[1] * parameters.grid[2];
  }

  /**
   * The frames of a trial: contrast levels (interval, frame, y, x), 128 the background.
   * @param {object} trial
   * @param {string} trial.seed
   * @param {string | number} trial.stimulusId
   * @param {string} trial.kind of the block: catch trials have a noise SD of their own
   * @param {readonly Signal[]} trial.signals one for each interval
   */
  frames({ seed, stimulusId, kind, signals }) {
    const { intervals, tables, grid, element_px: px } = this.#parameters;
    const steps = tables[kind] ?? tables.main ?? [];
    const fields = Array.from({ length: intervals }, (_, interval) => {
      const signal = signals[interval] ?? {};
      return this.#levels(seed, stimulusId, steps, interval, signal);
    });
    const frame = grid[1] * px[0] * grid[2] * px[1];
    const bytes = new Uint8Array(intervals * grid[0] * frame);
    fields.forEach((levels, i) => repeat(levels, grid, px, bytes.subarray(i * grid[0] * frame)));
    return bytes;
  }

  /**
   * The coefficients that an interval draws, or its levels where there is no basis.
   * @param {string} seed
   * @param {string | number} id
   * @param {readonly Steps[]} steps
   * @param {number} interval
   */
  drawn(seed, id, steps, interval) {
    const { basis } = this.#parameters;
    const turned = basis?.opposite && interval === 1;
    const n = basis ? basis.row.length : this.#size;
    const found = draws(seed, id, NOISE_STREAM + (turned ? 0 : interval), n);
    const tables = steps.map((one) => this.#table(one));
    return Int16Array.from(found, (draw, i) => {
      const level = tables[basis?.row[i] ?? 0]?.[draw] ?? 0;
      return turned ? -level : level;
    });
  }

  /**
   * @param {string} seed
   * @param {string | number} id
   * @param {readonly Steps[]} steps
   * @param {number} interval
   * @param {Signal} signal
   */
  #levels(seed, id, steps, interval, signal) {
    const { basis } = this.#parameters;
    const noise = this.drawn(seed, id, steps, interval);
    const levels = basis ? this.#summed(basis, noise, signal.units) : Int32Array.from(noise);
    const added = [signal.levels, basis?.picture].filter((text) => typeof text === "string");
    for (const text of added) this.#decode(text).forEach((level, i) => (levels[i] = (levels[i] ?? 0) + level));
    if (basis?.floor) {
      const table = this.#table(basis.floor);
      const floor = draws(seed, id, FLOOR_STREAM + interval, this.#size);
      floor.forEach((draw, i) => (levels[i] = (levels[i] ?? 0) + (table[draw] ?? 0)));
    }
    return levels;
  }

  /**
   * Sum the images, and round once: 127 times an odd fineness has no half.
   * @param {Basis} basis
   * @param {Int16Array} noise
   * @param {readonly number[]} [units]
   */
  #summed(basis, noise, units) {
    const sums = new Int32Array(this.#size);
    const { atoms, which, places } = basis.images;
    noise.forEach((drawn, k) => {
      const weight = drawn + (units?.[k] ?? 0);
      const [atom, place] = [atoms[which[k] ?? -1], places[k]];
      if (weight !== 0 && atom && place) this.#add(sums, weight, atom, place);
    });
    const unit = FULL_CONTRAST * basis.fineness;
    return sums.map((sum) => Math.floor((sum + (unit - 1) / 2) / unit));
  }

  /**
   * @param {Int32Array} sums
   * @param {number} weight
   * @param {Images["atoms"][number]} atom
   * @param {readonly [number, number, number]} place
   */
  #add(sums, weight, { size, values }, [frame, row, column]) {
    const [frames, rows, columns] = this.#parameters.grid;
    const image = this.#decode(values);
    for (let f = Math.max(0, -frame); f < size[0] && frame + f < frames; f++) {
      for (let r = Math.max(0, -row); r < size[1] && row + r < rows; r++) {
        const from = (f * size[1] + r) * size[2];
        const to = ((frame + f) * rows + row + r) * columns + column;
        for (let c = Math.max(0, -column); c < size[2] && column + c < columns; c++) {
          sums[to + c] = (sums[to + c] ?? 0) + weight * (image[from + c] ?? 0);
        }
      }
    }
  }

  /** @param {Steps} steps */
  #table(steps) {
    const known = this.#tables.get(steps) ?? tableOf(steps);
    this.#tables.set(steps, known);
    return known;
  }

  /** @param {string} text */
  #decode(text) {
    const known = this.#decoded.get(text) ?? signedBytes(text);
    this.#decoded.set(text, known);
    return known;
  }
}

/**
 * The level of every draw.
 * @param {Steps} steps
 */
export function tableOf({ lowest, starts }) {
  const table = new Int16Array(N_DRAWS);
  starts.forEach((start, i) => table.fill(lowest + i, start, starts[i + 1] ?? N_DRAWS));
  return table;
}

/**
 * Signed bytes from base64.
 * @param {string} text
 */
export function signedBytes(text) {
  return Int8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/**
 * Clip levels, once, and repeat each element to its size in pixels, never interpolated.
 * @param {Int32Array} levels
 * @param {readonly [number, number, number]} grid
 * @param {readonly [number, number]} px
 * @param {Uint8Array} bytes where they go
 */
function repeat(levels, [frames, rows, columns], px, bytes) {
  const width = columns * px[1];
  for (let row = 0; row < frames * rows; row++) {
    const first = row * px[0] * width;
    for (let column = 0; column < columns; column++) {
      const level = levels[row * columns + column] ?? 0;
      const clipped = Math.min(Math.max(level, -FULL_CONTRAST), FULL_CONTRAST);
      bytes.fill(BACKGROUND + clipped, first + column * px[1], first + (column + 1) * px[1]);
    }
    for (let copy = 1; copy < px[0]; copy++) bytes.copyWithin(first + copy * width, first, first + width);
  }
}
