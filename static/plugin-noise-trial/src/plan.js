/**
 * The trials of a session from its seed: blocks, targets, catch trials and double passes, as Python
 * lays them out, and numbered in order since a page repeats none.
 */

import { draws } from "./philox.js";

// Each use of stream 0 has its own range of ids, so that no two share a draw.
const SCHEDULE_STREAM = 0;
const BALANCE = 2 ** 20;
const CATCH_OF_BLOCK = 2 ** 32;
const DOUBLE_PASS = 2 ** 33;

/**
 * @typedef {object} Design
 * @property {number} n_targets
 * @property {readonly { kind: string, n_trials: number, feedback: boolean }[]} blocks
 * @property {readonly { contrast: number, condition: string }[]} main contrasts of the main trials
 * @property {number} practice contrast
 * @property {{ n_per_block: number, contrast: number }} catch
 * @property {{ n_pairs: number, min_gap: number }} double_pass
 *
 * @typedef {object} Trial all that is known of a trial before it has a response
 * @property {number} trial its number
 * @property {number} block
 * @property {string} block_kind
 * @property {string} condition
 * @property {number} stimulus_id
 * @property {number} pass 2 for the second showing of a double pass
 * @property {number | null} repeats the trial that this one shows again
 * @property {number} contrast
 * @property {number} target
 */

/**
 * @param {Design} design
 * @param {string} seed
 * @returns {Trial[]}
 */
export function planTrials(design, seed) {
  const main = mainTrials(design, seed);
  /** @type {Map<number, Trial>} */
  const firsts = new Map();
  /** @type {Trial[]} */
  const trials = [];
  let taken = 0;
  design.blocks.forEach(({ kind, n_trials }, block) => {
    const isMain = kind === "main";
    const own = isMain ? main.slice(taken, (taken += n_trials)) : [];
    for (const slot of slotsOf(design, seed, { kind, n_trials, block, own })) {
      const trial = trials.length;
      const first = slot.repeats === null ? undefined : firsts.get(slot.repeats);
      const again = first && trial - first.trial >= design.double_pass.min_gap ? first : undefined;
      const made = {
        ...{ trial, block, block_kind: slot.kind, condition: slot.condition },
        ...{ stimulus_id: again?.trial ?? trial, pass: again ? 2 : 1, repeats: again?.trial ?? null },
        ...{ contrast: slot.contrast, target: slot.target },
      };
      if (slot.main !== null && slot.repeats === null) firsts.set(slot.main, made);
      trials.push(made);
    }
  });
  return trials;
}

/**
 * @typedef {object} Slot a place in the plan; `main` is its number among the main ones
 * @property {string} kind
 * @property {string} condition
 * @property {number} target
 * @property {number} contrast
 * @property {number | null} main
 * @property {number | null} repeats the main slot that is shown a second time
 */

/**
 * The slots of a block, catch trials at their places.
 * @param {Design} design
 * @param {string} seed
 * @param {{ kind: string, n_trials: number, block: number, own: Slot[] }} about
 * @returns {Slot[]}
 */
function slotsOf({ n_targets, practice, catch: caught }, seed, { kind, n_trials, block, own }) {
  const none = { main: null, repeats: null };
  if (kind !== "main") {
    const plain = { kind, condition: kind, contrast: practice, ...none };
    return permutation(seed, block, n_trials).map((place) => ({ ...plain, target: place % n_targets }));
  }
  const order = permutation(seed, CATCH_OF_BLOCK + block, n_trials + caught.n_per_block);
  /** @type {(Slot | undefined)[]} */
  const slots = order.map(() => undefined);
  order.slice(0, caught.n_per_block).forEach((place, i) => {
    const target = (block + i) % n_targets;
    slots[place] = { kind: "catch", condition: "catch", contrast: caught.contrast, target, ...none };
  });
  const rest = own.values();
  return slots.map((slot) => slot ?? /** @type {Slot} */ (rest.next().value));
}

/**
 * The main slots of all blocks: cells balanced, then second passes.
 * @param {Design} design
 * @param {string} seed
 * @returns {Slot[]}
 */
function mainTrials({ blocks, main, n_targets, double_pass: { n_pairs, min_gap } }, seed) {
  const sizes = blocks.filter(({ kind }) => kind === "main").map((block) => block.n_trials);
  const n = sizes.reduce((sum, size) => sum + size, 0);
  const partners = doublePassPlan(seed, n, n_pairs, min_gap);
  const nFresh = partners.filter((partner) => partner === null).length;
  const cells = balanced(seed, nFresh, Math.max(...sizes), n_targets * main.length).values();
  /** @type {Slot[]} */
  const slots = [];
  partners.forEach((repeats, number) => {
    const first = repeats === null ? undefined : slots[repeats];
    const cell = first ? 0 : /** @type {number} */ (cells.next().value);
    const { contrast, condition } = main[Math.floor(cell / n_targets)] ?? { contrast: 0, condition: "" };
    const fresh = { kind: "main", condition, contrast, target: cell % n_targets };
    slots.push({ ...(first ?? fresh), main: number, repeats });
  });
  return slots;
}

/**
 * @param {string} seed
 * @param {number} n
 * @param {number} size of a run in which every cell is equally frequent
 * @param {number} nCells
 */
function balanced(seed, n, size, nCells) {
  const cells = [];
  for (let run = 0; run * size < n; run++) {
    const length = Math.min(size, n - run * size);
    cells.push(...permutation(seed, BALANCE + run, length).map((place) => (place + run * size) % nCells));
  }
  return cells;
}

/**
 * Permute 0, ..., n - 1: the order of 64-bit draws.
 * @param {string} seed
 * @param {number} purpose
 * @param {number} n
 */
export function permutation(seed, purpose, n) {
  const found = draws(seed, purpose, SCHEDULE_STREAM, 4 * n);
  const key = (/** @type {number} */ i) => found.subarray(4 * i, 4 * i + 4).reduceRight((sum, half) => sum * 65536n + BigInt(half), 0n);
  const keys = Array.from({ length: n }, (_, i) => ({ i, key: key(i) }));
  keys.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
  return keys.map(({ i }) => i);
}

/**
 * Which trials show an earlier one again, and which; null for a first showing.
 * @param {string} seed
 * @param {number} nTrials
 * @param {number} nPairs
 * @param {number} minGap
 */
function doublePassPlan(seed, nTrials, nPairs, minGap) {
  const chances = draws(seed, DOUBLE_PASS, SCHEDULE_STREAM, 2 * nTrials);
  /** @type {(number | null)[]} */
  const partners = [];
  /** @type {number[]} */
  const young = [];
  /** @type {number[]} */
  const old = [];
  let left = nPairs;
  for (let trial = 0; trial < nTrials; trial++) {
    const when = chances[2 * trial] ?? 0;
    const which = chances[2 * trial + 1] ?? 0;
    while (young[0] !== undefined && young[0] <= trial - minGap) old.push(/** @type {number} */ (young.shift()));
    if (old.length > 0 && when * (nTrials - trial) < left * 65536) {
      const chosen = Math.floor((which * old.length) / 65536);
      const last = /** @type {number} */ (old.pop());
      partners.push(chosen === old.length ? last : /** @type {number} */ (old[chosen]));
      if (chosen < old.length) old[chosen] = last;
      left -= 1;
    } else {
      partners.push(null);
      young.push(trial);
    }
  }
  return partners;
}
