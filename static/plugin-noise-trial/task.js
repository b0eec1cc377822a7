/**
 * A protocol's trials without a server: the page makes the frames and scores the responses itself.
 *
 * What it needs is the `task.json` that `yoked page` writes, and what it records can be read by
 * `yoked import page`, which makes the frames again and compares.
 */

import NoiseTrialPlugin from "./index.js";
import { CSS_PX_PER_DEGREE, isCanvasExact, measureRefresh, wholeScale } from "./src/display.js";
import { freshSeed, wordsOf } from "./src/philox.js";
import { planTrials } from "./src/plan.js";
import { Stimulus } from "./src/stimulus.js";

export { draws, freshSeed } from "./src/philox.js";
export { planTrials } from "./src/plan.js";
export { Stimulus } from "./src/stimulus.js";

const FORMAT = "yoked-task-1";

/** @typedef {import("./src/stimulus.js").Signal} Signal */
/** @typedef {import("./src/plan.js").Trial} Trial */
/**
 * @typedef {object} TaskParameters what `task.json` has
 * @property {string} format
 * @property {string} protocol_hash
 * @property {string} task_kind
 * @property {number} n_responses
 * @property {import("./src/types.js").FrameShape} shape
 * @property {boolean} side_by_side
 * @property {readonly import("./src/types.js").Key[]} choices
 * @property {import("./src/types.js").Timing} timing
 * @property {readonly number[]} lut
 * @property {number} background
 * @property {number} deg_per_element
 * @property {import("./src/stimulus.js").StimulusParameters} stimulus
 * @property {readonly { contrast: number, signals: readonly [Signal, Signal] }[]} contrasts signals
 *   without the target, and with it
 * @property {import("./src/plan.js").Design} design
 * @property {readonly string[]} instructions pages of HTML
 *
 * @typedef {Pick<Trial, "trial" | "stimulus_id" | "contrast" | "target"> & Partial<Trial>} Asked
 */

export class NoiseTask {
  #stimulus;
  #screen = /** @type {Awaited<ReturnType<NoiseTask["measure"]>> | null} */ (null);

  /**
   * @param {TaskParameters} parameters
   * @param {{ seed?: string }} [options] seed: decimal text, by default one that nobody can guess
   */
  constructor(parameters, { seed = freshSeed() } = {}) {
    if (parameters.format !== FORMAT) {
      throw new Error(`a task must have the format ${FORMAT}, got ${parameters.format}`);
    }
    wordsOf(seed); // complains about what is none
    this.parameters = parameters;
    this.seed = seed;
    this.#stimulus = new Stimulus(parameters.stimulus);
  }

  /** The protocol's trials in order; a page may as well choose its own. */
  get trials() {
    return planTrials(this.parameters.design, this.seed);
  }

  /** The contrasts that a trial may have. */
  get contrasts() {
    return this.parameters.contrasts.map(({ contrast }) => contrast);
  }

  /**
   * The frames of a trial: contrast levels (interval, frame, y, x).
   * @param {Asked} trial
   */
  frames({ stimulus_id: stimulusId, contrast, target, block_kind: kind = "main" }) {
    const { contrasts, shape, task_kind } = this.parameters;
    const found = contrasts.find((one) => one.contrast === contrast);
    if (!found) throw new Error(`contrast must be one of ${this.contrasts.join(", ")}, got ${contrast}`);
    const isChoice = ["2afc", "mafc"].includes(task_kind);
    const signals = Array.from({ length: shape.intervals }, (_, interval) => {
      return found.signals[(isChoice ? interval === target : target === 1) ? 1 : 0];
    });
    return this.#stimulus.frames({ seed: this.seed, stimulusId, kind, signals });
  }

  /**
   * Whether a response is correct; null if there was none. The upper half of a rating means "signal".
   * @param {number} target
   * @param {number | null} response
   */
  isCorrect(target, response) {
    if (response === null) return null;
    const { task_kind, n_responses } = this.parameters;
    if (task_kind === "rating") return response >= n_responses / 2 === (target === 1);
    return response === target;
  }

  /** Measure the screen; once, before the first trial. */
  async measure() {
    const { shape, side_by_side, deg_per_element: degPerElement, stimulus, lut } = this.parameters;
    const refresh = await measureRefresh((callback) => requestAnimationFrame(callback));
    const width = shape.width * (side_by_side ? shape.intervals : 1);
    const scale = wholeScale(
      { degPerElement, elementPx: stimulus.element_px, size: { width, height: shape.height } },
      { width: innerWidth, height: innerHeight, devicePixelRatio },
    );
    const measured = {
      ...refresh,
      scale,
      device_pixel_ratio: devicePixelRatio,
      screen_px: [screen.width, screen.height],
      window_px: [innerWidth, innerHeight],
      full_screen: document.fullscreenElement !== null,
      canvas_exact: isCanvasExact(document, lut),
      css_px_per_degree: CSS_PX_PER_DEGREE,
    };
    this.#screen = measured;
    return measured;
  }

  /**
   * A trial for jsPsych's timeline. Its data have all that the import needs.
   * @param {Asked} asked
   */
  trial(asked) {
    const display = this.#screen;
    if (!display) throw new Error("the screen must be measured first: await task.measure()");
    const { shape, side_by_side, timing, choices, lut, background, protocol_hash } = this.parameters;
    const own = { block: 0, block_kind: "main", condition: asked.block_kind ?? "main", pass: 1, repeats: null };
    return {
      type: NoiseTrialPlugin,
      ...{ shape, side_by_side, timing, choices, lut, background },
      trial: asked.trial,
      bytes: () => this.frames(asked),
      refresh_ms: display.refresh_ms,
      scale: display.scale,
      device_pixel_ratio: display.device_pixel_ratio,
      data: {
        ...{ generated: "page", protocol: protocol_hash, seed: this.seed, ...own, ...asked },
        ...{ display, user_agent: navigator.userAgent, plugin_version: NoiseTrialPlugin.info.version },
      },
      on_finish: (/** @type {Record<string, any>} */ data) => {
        data.correct = this.isCorrect(asked.target, data.response);
      },
    };
  }
}
