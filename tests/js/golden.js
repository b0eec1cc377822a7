/**
 * What golden vectors name and do not write out: level tables, and the images of a basis. Written
 * anew from the contract, in floating point, and held against the vectors' own hashes; the page has
 * none of it.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** @typedef {{ size: [number, number, number], place: [number, number, number], values: number[] }} Image */
/** @typedef {[number, number, number]} Triple */

/** @param {string} name */
export function vectors(name) {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
}

/** @param {ArrayBufferView | Uint8Array} bytes */
export function sha256(bytes) {
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return createHash("sha256").update(view).digest("hex");
}

/** @param {readonly number[]} values */
export const base64 = (values) => Buffer.from(Int8Array.from(values).buffer).toString("base64");

/**
 * The standard normal quantile, AS 241 (Wichura 1988), to about 1 part in 10^16.
 * @param {number} p
 */
function quantile(p) {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * horner(CENTRE[0], r)) / horner(CENTRE[1], r);
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p)) - 1.6; // no draw is in the far tail
  return (Math.sign(q) * horner(TAIL[0], r)) / horner(TAIL[1], r);
}

/**
 * @param {readonly number[] | undefined} coefficients
 * @param {number} x
 */
const horner = (coefficients = [], x) => coefficients.reduceRight((sum, one) => sum * x + one, 0);

const CENTRE = [
  [3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
    45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727],
  [1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
    39307.89580009271061, 28729.085735721942674, 5226.495278852854561],
];
const TAIL = [
  [1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
    1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4],
  [1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
    0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9],
];

/** @param {number} x half to even */
export function rint(x) {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * @param {string} kind
 * @param {number} sd
 * @param {number} [fineness]
 */
export function steps(kind, sd, fineness = 1) {
  const unit = 127 * fineness;
  const level = (/** @type {number} */ u) =>
    kind === "binary"
      ? (u >= 32768 ? 1 : -1) * rint(unit * sd)
      : rint(unit * Math.min(Math.max(sd * quantile((u + 0.5) / 65536), -1), 1));
  const lowest = level(0);
  const starts = [0];
  for (let u = 1; u < 65536; u++) {
    while (lowest + starts.length - 1 < level(u)) starts.push(u);
  }
  return { lowest, starts };
}

/**
 * @param {any} basis as a vector describes it
 * @param {Triple} grid
 * @returns {Image[]}
 */
export function imagesOf(basis, grid) {
  if (basis.kind === "images" && typeof basis.values === "string") {
    const n = grid[0] * grid[1] * grid[2];
    return Array.from({ length: n }, (_, k) => whole(grid, (f, i, j) => ((f * grid[1] + i) * grid[2] + j === k ? 1 : 0)));
  }
  if (basis.kind === "images") {
    return basis.values.map((/** @type {any} */ v) => ({ size: grid, place: [0, 0, 0], values: v.flat(9) }));
  }
  const one = KINDS[/** @type {keyof typeof KINDS} */ (basis.kind)];
  if (!basis.each_frame) return one(basis, grid);
  return Array.from({ length: grid[0] }, (_, f) =>
    one(basis, [1, grid[1], grid[2]]).map(({ size, place, values }) => {
      return { size, place: /** @type {Triple} */ ([f, place[1], place[2]]), values };
    }),
  ).flat();
}

const KINDS = { sinusoids, gratings, bumps, bars };
const rad = (/** @type {number} */ degrees) => (degrees * Math.PI) / 180;

/** @param {any} basis @param {Triple} grid @returns {Image[]} */
function sinusoids({ n_scales, n_orientations = 6, cycles = 2 }, [F, R, C]) {
  const images = [];
  for (let s = 0; s < n_scales; s++) {
    const [rows, columns] = [R / 2 ** s, C / 2 ** s];
    for (let pr = 0; pr < 2 ** s; pr++)
      for (let pc = 0; pc < 2 ** s; pc++)
        for (let o = 0; o < n_orientations; o++)
          for (const phase of [0, 90]) {
            const th = rad((180 * o) / n_orientations);
            const image = whole([F, rows, columns], (_, i, j) => {
              const [u, v] = [(j - (columns - 1) / 2) / columns, (i - (rows - 1) / 2) / rows];
              return Math.cos(2 * Math.PI * cycles * (u * Math.cos(th) + v * Math.sin(th)) + rad(phase));
            });
            images.push({ ...image, place: /** @type {Triple} */ ([0, pr * rows, pc * columns]) });
          }
  }
  return images;
}

/** @param {any} basis @param {Triple} grid @returns {Image[]} */
function gratings({ cycles, orientations_deg, phases_deg = [0, 90], drifts = [0], sigma = 0, places = [[0, 0]] }, grid) {
  const [F, R, C] = grid;
  const images = [];
  for (const [py, px] of places)
    for (const f of cycles)
      for (const angle of orientations_deg)
        for (const drift of drifts)
          for (const phase of phases_deg)
            images.push(
              whole(grid, (k, i, j) => {
                const [X, Y] = [j - (C - 1) / 2 - px, i - (R - 1) / 2 - py];
                const along = (f * (X * Math.cos(rad(angle)) + Y * Math.sin(rad(angle)))) / C - (drift * k) / F;
                const envelope = sigma ? Math.exp(-(X * X + Y * Y) / (2 * sigma * sigma)) : 1;
                return Math.cos(2 * Math.PI * along + rad(phase)) * envelope;
              }),
            );
  return images;
}

/** @param {any} basis @param {Triple} grid @returns {Image[]} */
function bumps({ scales }, [F, R, C]) {
  const images = [];
  for (const [spacing, sigma] of scales) {
    const n = (/** @type {number} */ size) => Math.floor((size - 1 + 4 * sigma) / spacing) + 1;
    const centre = (/** @type {number} */ i, /** @type {number} */ size) => (size - 1) / 2 + (i - (n(size) - 1) / 2) * spacing;
    const side = 2 * Math.ceil(4 * sigma) + 2;
    for (let a = 0; a < n(R); a++)
      for (let b = 0; b < n(C); b++) {
        const [cy, cx] = [centre(a, R), centre(b, C)];
        const [y0, x0] = [Math.floor(cy) - Math.ceil(4 * sigma), Math.floor(cx) - Math.ceil(4 * sigma)];
        const image = whole([F, side, side], (_, i, j) => Math.exp(-((y0 + i - cy) ** 2 + (x0 + j - cx) ** 2) / (2 * sigma * sigma)), false);
        images.push({ ...image, place: /** @type {Triple} */ ([0, y0, x0]) });
      }
  }
  return images;
}

/** @param {any} basis @param {Triple} grid @returns {Image[]} */
function bars({ length, width, orientations_deg, places }, grid) {
  const [, R, C] = grid;
  const round9 = (/** @type {number} */ x) => Math.round(Math.abs(x) * 1e9) / 1e9;
  return places.flatMap((/** @type {[number, number]} */ [py, px]) =>
    orientations_deg.map((/** @type {number} */ angle) =>
      whole(grid, (_, i, j) => {
        const [X, Y] = [j - (C - 1) / 2 - px, i - (R - 1) / 2 - py];
        const [cos, sin] = [Math.cos(rad(angle)), Math.sin(rad(angle))];
        return round9(X * cos + Y * sin) <= width / 2 && round9(Y * cos - X * sin) <= length / 2 ? 1 : 0;
      }),
    ),
  );
}

/**
 * An image of int8 from a function, scaled to its peak and rounded to 9 decimals.
 * @param {Triple} size
 * @param {(f: number, i: number, j: number) => number} value
 * @param {boolean} [toPeak]
 * @returns {Image}
 */
function whole(size, value, toPeak = true) {
  const values = [];
  for (let f = 0; f < size[0]; f++)
    for (let i = 0; i < size[1]; i++) for (let j = 0; j < size[2]; j++) values.push(value(f, i, j));
  const peak = toPeak ? values.reduce((most, one) => Math.max(most, Math.abs(one)), 0) : 1;
  return { size, place: [0, 0, 0], values: values.map((one) => rint(127 * (rint((one / peak) * 1e9) / 1e9))) };
}

/**
 * The hash of a basis: the grid, then each image's box of non-zeros and the bytes in it.
 * @param {Image[]} images
 * @param {Triple} grid
 */
export function basisHash(images, grid) {
  const hash = createHash("sha256").update("yoked-basis-1\n").update(int32(images.length, ...grid));
  for (const image of images) {
    const inside = [...elements(image, grid)].filter(({ value }) => value !== 0);
    const edges = [0, 1, 2].map((axis) => {
      const along = inside.map(({ at }) => at[axis] ?? 0);
      return [along.reduce((a, b) => Math.min(a, b), 1e9), along.reduce((a, b) => Math.max(a, b), -1) + 1];
    });
    const box = edges.flat();
    const [f0 = 0, f1 = 0, r0 = 0, r1 = 0, c0 = 0, c1 = 0] = box;
    const bytes = new Int8Array((f1 - f0) * (r1 - r0) * (c1 - c0));
    for (const { at: [f, r, c], value } of inside) bytes[((f - f0) * (r1 - r0) + r - r0) * (c1 - c0) + c - c0] = value;
    hash.update(int32(...box)).update(bytes);
  }
  return hash.digest("hex");
}

/** @param {Image} image @param {Triple} grid */
function* elements({ size, place, values }, grid) {
  for (const [n, value] of values.entries()) {
    const j = n % size[2];
    const i = Math.floor(n / size[2]) % size[1];
    const at = /** @type {Triple} */ ([Math.floor(n / size[2] / size[1]) + place[0], i + place[1], j + place[2]]);
    if (at.every((one, axis) => one >= 0 && one < (grid[axis] ?? 0))) yield { at, value };
  }
}

/** @param {number[]} whole */
function int32(...whole) {
  const bytes = Buffer.alloc(4 * whole.length);
  whole.forEach((one, i) => bytes.writeInt32LE(one, 4 * i));
  return bytes;
}
