/** Durations as counted refreshes of the screen: the plan of a trial, and the clock that runs it. */

/** @typedef {import("./types.js").Step} Step */

/**
 * Refreshes that come nearest to a duration: at least one, none for a duration of 0.
 * @param {number} durationMs
 * @param {number} refreshMs
 */
export function refreshesFor(durationMs, refreshMs) {
  return durationMs > 0 ? Math.max(1, Math.round(durationMs / refreshMs)) : 0;
}

/**
 * What a trial shows, in order: fixation, then each presentation frame by frame, with gaps between.
 * A cue's frames come before those of the stimulus, or after them.
 * @param {object} trial
 * @param {import("./types.js").Timing} trial.timing
 * @param {number} trial.presentations one for each interval, or one for all patches side by side
 * @param {number} trial.frames frames of each interval, a cue's included
 * @param {number} trial.refreshMs
 * @returns {Step[]}
 */
export function framePlan({ timing, presentations, frames, refreshMs }) {
  const { before, shown, after } = frameTimes(timing, frames);
  const times = [...before, ...shown, ...after];
  const lasting = (/** @type {number} */ ms) => refreshesFor(ms, refreshMs);
  /** @type {Step[]} */
  const plan = [
    { show: "fixation", presentation: 0, frame: 0, refreshes: lasting(timing.fixation_ms) },
  ];
  for (let presentation = 0; presentation < presentations; presentation++) {
    if (presentation > 0) {
      plan.push({ show: "blank", presentation, frame: 0, refreshes: lasting(timing.gap_ms) });
    }
    times.forEach((ms, frame) => {
      const isCue = frame < before.length || frame >= before.length + shown.length;
      plan.push({ show: isCue ? "cue" : "stimulus", presentation, frame, refreshes: lasting(ms) });
    });
  }
  return plan.filter((step) => step.refreshes > 0);
}

/**
 * How long each frame of an interval stays: a cue's before the stimulus, the stimulus's, a cue's after it.
 * @param {import("./types.js").Timing} timing
 * @param {number} frames
 */
function frameTimes({ frame_ms, interval_ms, before_ms: before = [], after_ms: after = [] }, frames) {
  const n = frames - before.length - after.length;
  const shown = /** @type {number[]} */ (Array(n).fill(n > 1 ? frame_ms : interval_ms));
  return { before, shown, after };
}

/**
 * How far from what is asked for the intervals and gaps of a trial are, at best, on a screen.
 * @param {object} trial
 * @param {import("./types.js").Timing} trial.timing
 * @param {number} trial.frames frames of each interval
 * @param {number} trial.refreshMs
 */
export function roundingMs({ timing, frames, refreshMs }) {
  const off = (/** @type {number} */ ms) => Math.abs(refreshesFor(ms, refreshMs) * refreshMs - ms);
  const sum = (/** @type {readonly number[]} */ times) => times.reduce((far, ms) => far + off(ms), 0);
  const { before, shown, after } = frameTimes(timing, frames);
  // What is drawn for each trial may lie in the middle between two counts.
  const drawn = (jitterMs = 0) => (jitterMs > 0 ? refreshMs / 2 : 0);
  const gap = drawn(timing.gap_jitter_ms) || off(timing.gap_ms);
  const fixation = drawn(timing.fixation_jitter_ms) || off(timing.fixation_ms);
  return Math.max(sum(shown), sum(after) + gap + sum(before), fixation + sum(before));
}

/** Counts refreshes: which step they belong to, and how many were missed. */
export class RefreshClock {
  start = NaN;
  lastOnset = NaN;
  #plan;
  #refreshMs;
  #index = 0;
  #left;
  #previous = NaN;
  #onsets = /** @type {number[]} */ ([]);
  #offsets = /** @type {number[]} */ ([]);
  #steps = /** @type {number[]} */ ([]);
  /** The presentation that is on the screen. */
  #presented = /** @type {number | null} */ (null);
  #shown = 0;
  #dropped = 0;
  #ended = false;

  /**
   * @param {readonly Step[]} plan
   * @param {number} refreshMs
   */
  constructor(plan, refreshMs) {
    this.#plan = plan;
    this.#refreshMs = refreshMs;
    this.#left = plan[0]?.refreshes ?? 0;
  }

  /**
   * Take the next refresh.
   * @param {number} timeMs
   */
  advance(timeMs) {
    if (Number.isNaN(this.start)) this.start = timeMs;
    else if (!this.#ended) this.#count(timeMs - this.#previous);
    this.#previous = timeMs;
    const step = this.#plan[this.#index] ?? null;
    const changed = step ? this.#left === step.refreshes : !this.#ended;
    const presents = step?.show === "stimulus" ? step.presentation : null;
    const isOnset = presents !== null && presents !== this.#presented;
    if (this.#presented !== null && presents !== this.#presented) {
      this.#offsets.push(rounded(timeMs - this.start));
    }
    this.#presented = presents;
    if (isOnset) {
      this.lastOnset = timeMs;
      this.#onsets.push(rounded(timeMs - this.start));
    }
    if (step?.show === "stimulus") this.#shown += 1;
    this.#ended = step === null;
    if (step && --this.#left === 0) this.#left = this.#plan[++this.#index]?.refreshes ?? 0;
    return { step, changed, isOnset };
  }

  /** @param {number} elapsedMs */
  #count(elapsedMs) {
    this.#steps.push(elapsedMs);
    this.#dropped += Math.max(0, Math.round(elapsedMs / this.#refreshMs) - 1);
  }

  summary() {
    return {
      onsets_ms: this.#onsets,
      offsets_ms: this.#offsets,
      frames_shown: this.#shown,
      frames_dropped: this.#dropped,
      refresh_ms: this.#steps.length > 0 ? median(this.#steps) : this.#refreshMs,
    };
  }
}

/** @param {readonly number[]} values at least one */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (/** @type {number} */ (low) + /** @type {number} */ (high)) / 2;
}

/**
 * To the microsecond, the finest step of any browser's clock.
 * @param {number} ms
 */
export function rounded(ms) {
  return Math.round(ms * 1000) / 1000;
}
