/**
 * A jsPsych plugin: one trial of a noise task, drawn from bytes as they are, whoever made them.
 *
 * While it runs it touches no network. After each drawing it dispatches `yoked:interval` on the
 * document, with the trial, interval, frame and canvas, so that a test can read what was drawn.
 */

import { ParameterType } from "jspsych";

import { sha256 } from "./src/digest.js";
import { asKey, eventKey } from "./src/keyboard.js";
import { framePlan } from "./src/refreshes.js";
import { Stage } from "./src/stage.js";
import { runTrial } from "./src/trial.js";

/** @typedef {import("./src/types.js").TrialResult} TrialResult */
/** @typedef {import("./src/types.js").FrameShape} FrameShape */
/**
 * @typedef {object} Own
 * @property {import("./src/types.js").Timing} timing
 * @property {readonly import("./src/types.js").Choice[]} choices
 * @property {number} refresh_ms
 *
 * @typedef {import("./src/stage.js").Shown & Own} Parameters
 */

const info = {
  name: "noise-trial",
  version: "2.0.0",
  parameters: {
    /** Number of the trial, told to whoever listens for `yoked:interval`. */
    trial: { type: ParameterType.INT, default: undefined },
    /**
     * Gives the contrast levels (interval, frame, y, x), one byte each. A function, since jsPsych
     * keeps the parameters of all trials until the session ends.
     */
    bytes: { type: ParameterType.FUNCTION, default: undefined },
    /** Sizes of the four axes of `bytes`. */
    shape: { type: ParameterType.OBJECT, default: undefined },
    /** Show all intervals at once, as patches beside each other. */
    side_by_side: { type: ParameterType.BOOL, default: false },
    /** Durations in ms. */
    timing: { type: ParameterType.OBJECT, default: undefined },
    /**
     * Response keys; response i is choice i. As elsewhere in jsPsych ("f", " ", "ArrowLeft"); or a
     * place on the keyboard, whatever is printed there: `{ name: "f", code: "KeyF" }`.
     */
    choices: { type: ParameterType.KEYS, array: true, default: undefined },
    /** What is written on a button for each choice, on a screen that takes touch; none: no buttons. */
    touch: { type: ParameterType.STRING, array: true, default: [] },
    /** Screen level of each of the 256 contrast levels. */
    lut: { type: ParameterType.INT, array: true, default: undefined },
    /** Contrast level of the background. */
    background: { type: ParameterType.INT, default: 128 },
    /** Measured time between refreshes. */
    refresh_ms: { type: ParameterType.FLOAT, default: 1000 / 60 },
    /** Screen pixels for each stimulus pixel, a whole number. */
    scale: { type: ParameterType.INT, default: 1 },
    /** Screen pixels for each CSS pixel. */
    device_pixel_ratio: { type: ParameterType.FLOAT, default: 1 },
  },
  data: {
    /** Index in `choices` of the key pressed; null if none was in time. */
    response: { type: ParameterType.INT },
    /** In ms, from the onset of the last interval. */
    rt: { type: ParameterType.FLOAT },
    /** Onset of each interval, from the first refresh of the trial. */
    onsets_ms: { type: ParameterType.FLOAT, array: true },
    /** Offset of each interval, from the first refresh of the trial. */
    offsets_ms: { type: ParameterType.FLOAT, array: true },
    /** Refreshes with a stimulus on the screen. */
    frames_shown: { type: ParameterType.INT },
    /** Refreshes that the browser missed. */
    frames_dropped: { type: ParameterType.INT },
    /** Early keys, and what disturbed the page. */
    events: { type: ParameterType.COMPLEX, array: true },
    /** Median time between the refreshes of this trial. */
    refresh_ms: { type: ParameterType.FLOAT },
    /** Label of a key that was pressed in time and is none of the task's; null if there was none. */
    other_key: { type: ParameterType.STRING },
    /** SHA-256 of the bytes that were drawn; null where the browser has none (pages without https). */
    digest: { type: ParameterType.STRING },
  },
  citations: { apa: "", bibtex: "" },
};

export default class NoiseTrialPlugin {
  static info = info;

  /** @param {import("jspsych").JsPsych} jsPsych */
  constructor(jsPsych) {
    this.jsPsych = jsPsych;
  }

  /**
   * @param {HTMLElement} display
   * @param {Parameters} trial
   * @param {() => void} [onLoad]
   */
  async trial(display, trial, onLoad) {
    const { shape, timing, refresh_ms: refreshMs } = trial;
    const stage = new Stage(display, trial);
    const presentations = trial.side_by_side ? 1 : shape.intervals;
    onLoad?.();
    const result = await runTrial(
      framePlan({ timing, presentations, frames: shape.frames, refreshMs }),
      {
        draw: (step) => stage.draw(step),
        keys: trial.choices.map(asKey),
        responseMs: timing.response_ms,
        refreshMs,
        buttons: stage.buttons,
        requestFrame: (callback) => requestAnimationFrame(callback),
        target: window,
      },
    );
    this.jsPsych.finishTrial({ ...result, digest: await sha256(stage.bytes) });
  }

  /**
   * jsPsych's simulation: random keys, or the response of a model given as `simulation_options.data`.
   * @param {Parameters} trial
   * @param {"data-only" | "visual"} mode
   * @param {{ data?: Partial<TrialResult> }} options
   * @param {() => void} onLoad
   */
  simulate(trial, mode, options, onLoad) {
    const data = this.#simulatedData(trial, options);
    if (mode === "data-only") {
      onLoad();
      this.jsPsych.finishTrial(data);
      return;
    }
    if (data.response !== null) this.#pressAfterLastOnset(trial, data);
    void this.trial(this.jsPsych.getDisplayElement(), trial, onLoad);
  }

  /**
   * @param {Parameters} trial
   * @param {{ data?: Partial<TrialResult> }} options
   * @returns {TrialResult}
   */
  #simulatedData(trial, options) {
    const { randomization, pluginAPI } = this.jsPsych;
    const presentations = trial.side_by_side ? 1 : trial.shape.intervals;
    const { timing, refresh_ms: refreshMs } = trial;
    const plan = framePlan({ timing, presentations, frames: trial.shape.frames, refreshMs });
    let refreshes = 0;
    /** @type {TrialResult} */
    const perfectRun = {
      response: randomization.randomInt(0, trial.choices.length - 1),
      rt: randomization.sampleExGaussian(500, 50, 1 / 150, true),
      onsets_ms: [],
      offsets_ms: [],
      frames_shown: 0,
      frames_dropped: 0,
      events: [],
      refresh_ms: refreshMs,
      other_key: null,
      digest: null,
    };
    const last = trial.shape.frames - 1 - (timing.after_ms?.length ?? 0);
    for (const step of plan) {
      const isStimulus = step.show === "stimulus";
      if (isStimulus && step.frame === firstFrame(timing)) perfectRun.onsets_ms.push(refreshes * refreshMs);
      if (isStimulus) perfectRun.frames_shown += step.refreshes;
      refreshes += step.refreshes;
      if (isStimulus && step.frame === last) perfectRun.offsets_ms.push(refreshes * refreshMs);
    }
    return pluginAPI.mergeSimulationData(perfectRun, options);
  }

  /**
   * @param {Parameters} trial
   * @param {TrialResult} data
   */
  #pressAfterLastOnset(trial, data) {
    const last = trial.side_by_side ? 0 : trial.shape.intervals - 1;
    const choice = trial.choices[/** @type {number} */ (data.response)];
    const key = choice === undefined ? "" : eventKey(asKey(choice).name);
    /** @param {Event} event */
    const onInterval = (event) => {
      const { interval, frame } = /** @type {CustomEvent} */ (event).detail;
      if (interval !== last || frame !== firstFrame(trial.timing)) return;
      document.removeEventListener("yoked:interval", onInterval);
      this.jsPsych.pluginAPI.pressKey(key, data.rt ?? 0);
    };
    document.addEventListener("yoked:interval", onInterval);
  }
}

/**
 * The number of an interval's first frame that is none of a cue's.
 * @param {import("./src/types.js").Timing} timing
 */
function firstFrame(timing) {
  return timing.before_ms?.length ?? 0;
}
