/** The session in the browser: a jsPsych timeline whose trials the server hands out one by one. */

import { askConfidence } from "./confidence.js";
import { stimulusOf } from "./devices.js";
import { fitsAt, isCanvasExact, measureRefresh, wholeScale, CSS_PX_PER_DEGREE } from "../plugin-noise-trial/src/display.js";
import { keyLabel } from "../plugin-noise-trial/src/keyboard.js";
import NoiseTrialPlugin from "../plugin-noise-trial/index.js";
import {
  absentScreen,
  breakScreen,
  checkingScreen,
  feedbackScreen,
  fullScreenOffer,
  tooSmallScreen,
  welcomeBack,
} from "./screens.js";
import { escaped } from "./texts.js";
import { tonesFor } from "./tones.js";

/** @typedef {import("./types.js").NextTrial} NextTrial */
/** @typedef {import("./types.js").PageData} PageData */
/** @typedef {import("jspsych").JsPsych} JsPsych */
/** @typedef {Record<string, any>} Node a trial or timeline of jsPsych */

/**
 * Facts of the screen, kept until the zoom of the page changes.
 * @typedef {{ refresh_ms: number, scale: number, device_pixel_ratio: number }} Screen
 */

/** Trials in a row without a response, before the page asks whether anybody is there. */
const MANY_MISSES = 5;
/** How long a hint stands: a sentence takes longer to read than "Correct". */
const HINT_MS = 1500;
/** How much the time between refreshes may differ from the measured one, before it is measured again. */
const OTHER_RATE = 0.1;

export class Experiment {
  #jsPsych;
  #plugins;
  #page;
  #client;
  #onFailure;
  /** @type {import("./types.js").Next | null} */
  #next = null;
  /** @type {Promise<Uint8Array> | null} */
  #coming = null;
  #frames = /** @type {Uint8Array} */ (new Uint8Array());
  /** @type {Screen} */
  #screen = { refresh_ms: 1000 / 60, scale: 1, device_pixel_ratio: 1 };
  #feedback = /** @type {string | null} */ (null);
  #feedbackMs = 0;
  #showings;
  /** @type {readonly string[]} what is printed on the response keys */
  #labels;
  #labelOf;
  #texts;
  #tones;
  /** @type {any} what a trial measured, while its confidence is asked for */
  #unsent = null;
  #misses = 0;
  /** Whether the screen refreshed at another rate than was measured, in the trial before. */
  #hasOtherRate = false;

  /**
   * @param {object} parts
   * @param {JsPsych} parts.jsPsych
   * @param {{ buttons: any, keyboard: any, call: any }} parts.plugins classes of jsPsych's plugins
   * @param {PageData} parts.page
   * @param {import("./texts.js").Texts} parts.texts
   * @param {import("./client.js").Client} parts.client
   * @param {import("./showings.js").Showings} parts.showings
   * @param {{ get: (code: string) => string | undefined }} [parts.layout] of the keyboard, where it is known
   * @param {(error: unknown) => void} parts.onFailure told of what cannot be mended here
   */
  constructor({ jsPsych, plugins, page, texts, client, showings, layout, onFailure }) {
    this.#jsPsych = jsPsych;
    this.#plugins = plugins;
    this.#page = page;
    this.#client = client;
    this.#showings = showings;
    this.#texts = texts;
    const words = {
      space: texts.plain("key.space"),
      return: texts.plain("key.return"),
      numberPad: (/** @type {string} */ key) => texts.plain("key.number_pad", { key }),
    };
    this.#labelOf = (/** @type {import("./types.js").Key} */ key) => keyLabel(key, layout, words);
    this.#labels = page.keys.map(this.#labelOf);
    this.#tones = tonesFor(page.feedback);
    this.#onFailure = onFailure;
  }

  /** @returns {Node[]} */
  timeline() {
    return [
      ...this.#introduction(),
      this.#step(() => this.#begin(), checkingScreen(this.#texts)),
      {
        timeline: [
          { timeline: [this.#break()], conditional_function: () => this.#trial().break !== null },
          {
            timeline: [this.#areYouThere()],
            conditional_function: () => this.#misses >= MANY_MISSES,
          },
          {
            timeline: [this.#step(() => this.#untilItFits(), tooSmallScreen(this.#texts))],
            conditional_function: () => !this.#fits(),
          },
          this.#step(() => this.#load()),
          this.#noiseTrial(),
          {
            timeline: [this.#step(() => this.#rated())],
            conditional_function: () => this.#unsent !== null,
          },
          {
            timeline: [this.#feedbackNode()],
            conditional_function: () => this.#feedback !== null,
          },
        ],
        conditional_function: () => !this.#isDone(),
        loop_function: () => !this.#isDone(),
      },
    ];
  }

  /** Instructions, once; after a reload a short greeting; then the offer of full screen. */
  #introduction() {
    const { n_recorded } = this.#page;
    const pages = n_recorded > 0 ? [welcomeBack(this.#texts, this.#labels)] : this.#instructions();
    const choices = [this.#texts.html("task.full_screen"), this.#texts.html("task.window")];
    const offer = this.#buttons(fullScreenOffer(this.#texts), choices);
    offer.on_finish = (/** @type {{ response: number }} */ { response }) => {
      void this.#tones?.unlock();
      return response === 0 ? enterFullScreen() : undefined;
    };
    return [...pages.map((page) => this.#buttons(page, [this.#texts.html("task.continue")])), offer];
  }

  /** The protocol's pages, which may be in another language than the screens. */
  #instructions() {
    const { instructions, instructions_language: language } = this.#page;
    return instructions.map((page) => `<div lang="${escaped(language)}">${page}</div>`);
  }

  async #begin() {
    await this.#client.display(await this.#measureScreen());
    this.#receive(await this.#client.next());
  }

  /** Measure what the trials to come are shown on; return all that is worth storing of it. */
  async #measureScreen() {
    const refresh = await measureRefresh((callback) => requestAnimationFrame(callback));
    const scale = wholeScale(stimulusOf(this.#page), windowNow());
    this.#screen = { refresh_ms: refresh.refresh_ms, scale, device_pixel_ratio: devicePixelRatio };
    return {
      ...refresh,
      scale,
      device_pixel_ratio: devicePixelRatio,
      screen_px: [screen.width, screen.height],
      window_px: [innerWidth, innerHeight],
      full_screen: document.fullscreenElement !== null,
      canvas_exact: isCanvasExact(document, this.#page.lut),
      css_px_per_degree: CSS_PX_PER_DEGREE,
    };
  }

  #fits() {
    return fitsAt(this.#screen.scale, stimulusOf(this.#page), windowNow());
  }

  /** Wait until the window has room for the patches, as large as they were before. */
  #untilItFits() {
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const look = () => {
          if (!this.#fits()) return;
          removeEventListener("resize", look);
          resolve();
        };
        addEventListener("resize", look);
        look();
      })
    );
  }

  /** Take what comes next, and begin to fetch its bytes at once. */
  #receive(/** @type {import("./types.js").Next} */ next) {
    this.#next = next;
    if (this.#jsPsych.progressBar) this.#jsPsych.progressBar.progress = next.progress;
    if (next.done) return;
    this.#coming = this.#client.frames(next);
    // It is awaited in #load; until then a failure must not count as unhandled.
    this.#coming.catch(() => {});
  }

  async #load() {
    if (devicePixelRatio !== this.#screen.device_pixel_ratio || this.#hasOtherRate) {
      this.#hasOtherRate = false;
      void this.#client.displayChanged(await this.#measureScreen());
    }
    if (!this.#coming) throw new Error("a trial must have been announced before it is loaded");
    this.#frames = await this.#coming;
  }

  /** @returns {Node} */
  #noiseTrial() {
    const { shape, side_by_side, keys, lut, background } = this.#page;
    return {
      type: NoiseTrialPlugin,
      trial: () => this.#trial().trial,
      bytes: () => this.#frames,
      ...{ shape, side_by_side, choices: keys, lut, background },
      timing: () => ({ ...this.#page.timing, ...this.#trial().timing }),
      refresh_ms: () => this.#screen.refresh_ms,
      scale: () => this.#screen.scale,
      device_pixel_ratio: () => this.#screen.device_pixel_ratio,
      on_start: () => this.#showings.add(this.#trial().trial),
      on_finish: (/** @type {any} */ data) => {
        if (!this.#page.confidence) return this.#submit(data).catch(this.#onFailureForEver());
        this.#unsent = data;
      },
    };
  }

  /** Ask how sure a response was, where there was one, and hand in both. */
  async #rated() {
    const [data, asked] = [this.#unsent, this.#page.confidence];
    this.#unsent = null;
    const confidence =
      asked && data.response !== null
        ? await askConfidence(asked, {
            display: this.#jsPsych.getDisplayElement(),
            target: window,
            requestFrame: (callback) => requestAnimationFrame(callback),
            texts: this.#texts,
            labelOf: this.#labelOf,
          })
        : null;
    await this.#submit(data, { confidence });
  }

  /**
   * Hand in a response, and wait for the server's acknowledgement: jsPsych starts nothing before.
   * @param {any} data
   * @param {{ confidence?: number | null }} [rated]
   */
  async #submit(data, rated = {}) {
    const { trial, feedback } = this.#trial();
    const { refresh_ms, other_key, rt: rt_ms, ...result } = measured(data);
    this.#hasOtherRate = Math.abs(refresh_ms / this.#screen.refresh_ms - 1) > OTHER_RATE;
    this.#misses = result.response === null ? this.#misses + 1 : 0;
    const n_shown = Math.max(1, this.#showings.of(trial));
    const receipt = await this.#client.respond(trial, { ...result, rt_ms, ...rated, n_shown });
    const { correct, too_soon: tooSoon } = receipt;
    const { feedback_ms, response_ms: responseMs } = this.#page.timing;
    const isHint = result.response === null || tooSoon;
    const tell = isHint || (feedback_ms > 0 && feedback);
    this.#feedbackMs = isHint ? Math.max(HINT_MS, feedback_ms) : feedback_ms;
    const { response } = result;
    const about = { correct, response, tooSoon, otherKey: other_key, labels: this.#labels, responseMs };
    const sounds = this.#tones !== null && !isHint && feedback && correct !== null;
    if (sounds) this.#tones?.play(/** @type {boolean} */ (correct));
    const isWritten = !sounds || this.#page.feedback.by === "both";
    this.#feedback = tell ? (isWritten ? feedbackScreen(this.#texts, about) : " ") : null;
    this.#receive(receipt.next);
  }

  /** @returns {Node} */
  #feedbackNode() {
    return {
      type: this.#plugins.keyboard,
      stimulus: () => this.#feedback,
      choices: "NO_KEYS",
      trial_duration: () => this.#feedbackMs,
    };
  }

  /** @returns {Node} */
  #break() {
    return this.#buttons(() => {
      const pause = this.#trial().break;
      return pause ? breakScreen(this.#texts, pause) : "";
    }, [this.#texts.html("task.continue")]);
  }

  /** @returns {Node} */
  #areYouThere() {
    const screen = this.#buttons(() => absentScreen(this.#texts, this.#labels), [this.#texts.html("task.here")]);
    screen.on_finish = () => {
      this.#misses = 0;
    };
    return screen;
  }

  /**
   * A screen with buttons; the first has the focus, so that Enter or space presses it.
   * @param {string | (() => string)} stimulus
   * @param {string[]} choices
   * @returns {Node}
   */
  #buttons(stimulus, choices) {
    return {
      type: this.#plugins.buttons,
      stimulus,
      choices,
      css_classes: ["text"],
      on_load: () => this.#jsPsych.getDisplayElement().querySelector("button")?.focus(),
    };
  }

  /**
   * A step without a response: something is computed or fetched.
   * @param {() => Promise<void>} action
   * @param {string} [message] shown meanwhile
   * @returns {Node}
   */
  #step(action, message) {
    const show = () => {
      if (message) this.#jsPsych.getDisplayElement().innerHTML = message;
    };
    return {
      type: this.#plugins.call,
      async: true,
      func: (/** @type {(value?: unknown) => void} */ done) => {
        show();
        action().then(() => done(), this.#onFailure);
      },
    };
  }

  /** For a promise that jsPsych awaits: the failure is shown, and nothing follows it. */
  #onFailureForEver() {
    return (/** @type {unknown} */ error) => {
      this.#onFailure(error);
      return new Promise(() => {});
    };
  }

  #isDone() {
    return this.#next?.done === true;
  }

  /** @returns {NextTrial} */
  #trial() {
    if (!this.#next || this.#next.done) throw new Error("there must be a trial to run");
    return this.#next;
  }
}

/**
 * What the plugin says that it measures, without what jsPsych adds.
 * @param {Record<string, unknown>} data
 * @returns {import("../plugin-noise-trial/src/types.js").TrialResult}
 */
function measured(data) {
  const names = Object.keys(NoiseTrialPlugin.info.data);
  return /** @type {any} */ (Object.fromEntries(names.map((name) => [name, data[name]])));
}

function windowNow() {
  return { width: innerWidth, height: innerHeight, devicePixelRatio };
}

/** Full screen where the browser allows it; the session runs as well in a window. */
async function enterFullScreen() {
  try {
    await document.documentElement.requestFullscreen({ navigationUI: "hide" });
  } catch {
    // Refused, or unknown to this browser; `full_screen` in the session's display says so.
  }
}
