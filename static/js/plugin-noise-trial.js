/**
 * A jsPsych plugin: one trial of a noise task, drawn from the server's bytes as they are.
 *
 * While it runs it touches no network. After each drawing it dispatches `yoked:interval` on the
 * document, with the trial, interval, frame and canvas, so that a test can read what was drawn.
 */

import { makePatch, snapToScreen, trialImages } from "./display.js";
import { eventKey } from "./keyboard.js";
import { framePlan } from "./refreshes.js";
import { runTrial } from "./trial.js";

/** @typedef {import("./types.js").Step} Step */
/** @typedef {import("./types.js").TrialResult} TrialResult */
/** @typedef {import("./types.js").FrameShape} FrameShape */
/**
 * @typedef {object} Parameters
 * @property {number} trial
 * @property {() => Uint8Array} bytes
 * @property {FrameShape} shape
 * @property {boolean} side_by_side
 * @property {import("./types.js").Timing} timing
 * @property {readonly import("./types.js").Key[]} keys
 * @property {readonly number[]} lut
 * @property {number} background
 * @property {number} refresh_ms
 * @property {number} scale
 * @property {number} device_pixel_ratio
 */

const jsPsychModule = /** @type {{ jsPsychModule: typeof import("jspsych") }} */ (
  /** @type {unknown} */ (globalThis)
).jsPsychModule;
const { ParameterType } = jsPsychModule;

const info = {
  name: "noise-trial",
  version: "1.0.0",
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
    /** Response keys, each with its name and its place on the keyboard; response i is key i. */
    keys: { type: ParameterType.COMPLEX, array: true, default: undefined },
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
    /** Index of the key pressed; null if none was in time. */
    response: { type: ParameterType.INT },
    /** From the onset of the last interval. */
    rt_ms: { type: ParameterType.FLOAT },
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
  },
  citations: {},
};

export class NoiseTrialPlugin {
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
        keys: trial.keys,
        responseMs: timing.response_ms,
        refreshMs,
        requestFrame: (callback) => requestAnimationFrame(callback),
        target: window,
      },
    );
    this.jsPsych.finishTrial(result);
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
      response: randomization.randomInt(0, trial.keys.length - 1),
      rt_ms: randomization.sampleExGaussian(500, 50, 1 / 150, true),
      onsets_ms: [],
      offsets_ms: [],
      frames_shown: 0,
      frames_dropped: 0,
      events: [],
      refresh_ms: refreshMs,
      other_key: null,
    };
    for (const step of plan) {
      const isStimulus = step.show === "stimulus";
      if (isStimulus && step.frame === 0) perfectRun.onsets_ms.push(refreshes * refreshMs);
      if (isStimulus) perfectRun.frames_shown += step.refreshes;
      refreshes += step.refreshes;
      const isLast = step.frame === trial.shape.frames - 1;
      if (isStimulus && isLast) perfectRun.offsets_ms.push(refreshes * refreshMs);
    }
    return pluginAPI.mergeSimulationData(perfectRun, options);
  }

  /**
   * @param {Parameters} trial
   * @param {TrialResult} data
   */
  #pressAfterLastOnset(trial, data) {
    const last = trial.side_by_side ? 0 : trial.shape.intervals - 1;
    const key = eventKey(trial.keys[/** @type {number} */ (data.response)]?.name ?? "");
    /** @param {Event} event */
    const onInterval = (event) => {
      const { interval, frame } = /** @type {CustomEvent} */ (event).detail;
      if (interval !== last || frame !== 0) return;
      document.removeEventListener("yoked:interval", onInterval);
      this.jsPsych.pluginAPI.pressKey(key, data.rt_ms ?? 0);
    };
    document.addEventListener("yoked:interval", onInterval);
  }
}

/** The patches of a trial with their marks, and all images ready before its first refresh. */
class Stage {
  #trial;
  #images;
  #patches;
  #fixation;

  /**
   * @param {HTMLElement} display
   * @param {Parameters} trial
   */
  constructor(display, trial) {
    this.#trial = trial;
    this.#images = trialImages(trial.bytes(), trial.shape, trial.lut);
    const root = document.createElement("div");
    root.className = "stage";
    this.#patches = Array.from({ length: trial.side_by_side ? trial.shape.intervals : 1 }, () => {
      const patch = makePatch(document, trial.shape, trial.scale, trial.device_pixel_ratio);
      const place = document.createElement("div");
      place.className = "place";
      place.append(mark("guide above"), patch.canvas, mark("guide below"));
      root.append(place);
      return patch;
    });
    this.#fixation = mark("fixation");
    root.append(this.#fixation);
    display.replaceChildren(root);
    for (const { canvas } of this.#patches) snapToScreen(canvas, trial.device_pixel_ratio);
    this.#clear();
  }

  /** @param {Step | null} step */
  draw(step) {
    this.#fixation.hidden = step?.show !== "fixation";
    if (step?.show !== "stimulus") this.#clear();
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

/** @param {string} className */
function mark(className) {
  const element = document.createElement("span");
  element.className = className;
  element.setAttribute("aria-hidden", "true");
  return element;
}
