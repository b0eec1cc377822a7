/** The session in the browser: a jsPsych timeline whose trials the server hands out one by one. */

import { askConfidence } from "./confidence.js";
import { countDown } from "./countdown.js";
import { hasFinePointer, hasTouch } from "./devices.js";
import { drawExamples, examplesScreen } from "./examples.js";
import { measureViewing } from "./distance.js";
import { focusOn } from "./focus.js";
import { keyLabel } from "../plugin-noise-trial/src/keyboard.js";
import NoiseTrialPlugin from "../plugin-noise-trial/index.js";
import {
  absentScreen,
  breakScreen,
  checkingScreen,
  feedbackScreen,
  fullScreenOffer,
  heldScreen,
  tooSmallScreen,
  welcomeBack,
} from "./screens.js";
import { escaped } from "./texts.js";
import { tonesFor } from "./tones.js";
import { Viewing } from "./viewing.js";

/** @typedef {import("./types.js").NextTrial} NextTrial */
/** @typedef {import("./types.js").PageData} PageData */
/** @typedef {import("jspsych").JsPsych} JsPsych */
/** @typedef {Record<string, any>} Node a trial or timeline of jsPsych */

/** Trials in a row without a response, before the page asks whether anybody is there. */
const MANY_MISSES = 5;
/** How long a hint stands: a sentence takes longer to read than "Correct". */
const HINT_MS = 1500;

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
  #viewing;
  #feedback = /** @type {string | null} */ (null);
  #feedbackMs = 0;
  #showings;
  /** @type {readonly string[]} what is printed on the response keys, or written on their buttons */
  #labels;
  #labelOf;
  #touchLabels;
  #texts;
  #tones;
  /** @type {any} what a trial measured, while its confidence is asked for */
  #unsent = null;
  #misses = 0;

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
    const keys = page.keys.map(this.#labelOf);
    this.#tones = tonesFor(page.feedback);
    this.#onFailure = onFailure;
    this.#viewing = new Viewing(page);
    // A finger presses no key: its button says what the response means.
    this.#touchLabels = page.touch && hasTouch() ? (page.responses ?? keys) : [];
    this.#labels = this.#touchLabels.length > 0 && !hasFinePointer() ? this.#touchLabels : keys;
  }

  /** @returns {Node[]} */
  timeline() {
    return [
      ...this.#introduction(),
      this.#step(() => this.#begin(), checkingScreen(this.#texts)),
      {
        timeline: [
          {
            timeline: [this.#break(), this.#step(() => this.#checkAgain(), checkingScreen(this.#texts))],
            conditional_function: () => this.#trial().break !== null,
          },
          {
            timeline: [this.#areYouThere()],
            conditional_function: () => this.#misses >= MANY_MISSES,
          },
          {
            timeline: [this.#step(() => this.#viewing.untilItFits(), tooSmallScreen(this.#texts))],
            conditional_function: () => !this.#viewing.fits(),
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
    const go = this.#texts.html("task.continue");
    const choices = [this.#texts.html("task.full_screen"), this.#texts.html("task.window")];
    const offer = this.#buttons(fullScreenOffer(this.#texts), choices);
    offer.on_finish = (/** @type {{ response: number }} */ { response }) => {
      void this.#tones?.unlock();
      return response === 0 ? enterFullScreen() : undefined;
    };
    if (n_recorded > 0) return [this.#buttons(welcomeBack(this.#texts, this.#labels), [go]), offer];
    const measures = {
      timeline: [this.#step(() => this.#measureViewing())],
      conditional_function: () => this.#page.viewing.measure !== "" && this.#page.viewing.found === null,
    };
    return [...this.#instructions(), offer, measures];
  }

  /**
   * The protocol's pages, which may be in another language than the screens; the last has the examples.
   * @returns {Node[]}
   */
  #instructions() {
    const { instructions, instructions_language: language, examples } = this.#page;
    const pages = instructions.map((page) => `<div lang="${escaped(language)}">${page}</div>`);
    const go = [this.#texts.html("task.continue")];
    if (!examples) return pages.map((page) => this.#buttons(page, go));
    const levels = this.#client.examples(examples.levels);
    levels.catch(() => {}); // instructions are words; whatever stands in the way is told with the first trial
    const last = pages.pop() ?? "";
    const screen = this.#buttons(last + examplesScreen(this.#texts, examples, this.#page, this.#labels), go, () => {
      const root = this.#jsPsych.getDisplayElement();
      levels.then((bytes) => drawExamples(root, bytes, this.#page, this.#viewing.scale), () => {});
    });
    return [...pages.map((page) => this.#buttons(page, go)), screen];
  }

  async #measureViewing() {
    const display = this.#jsPsych.getDisplayElement();
    const tell = (/** @type {Record<string, unknown>} */ measured) => this.#client.viewing(measured);
    this.#viewing.found(await measureViewing(this.#page.viewing, { display, texts: this.#texts, tell }));
  }

  async #begin() {
    await this.#client.display(await this.#viewing.measure());
    this.#receive(await this.#client.next());
  }

  /** Look at the device again, as before the consent; the next block begins on one that can show it. */
  async #checkAgain() {
    const root = this.#jsPsych.getDisplayElement();
    for (;;) {
      const { changed, found } = await this.#viewing.again(this.#texts);
      if (changed) void this.#client.displayChanged(changed);
      if (found.length === 0) return;
      root.innerHTML = heldScreen(this.#texts, found);
      focusOn(root);
      await this.#viewing.untilItChanges(root.querySelector("button"));
      root.innerHTML = checkingScreen(this.#texts);
    }
  }

  /** Take what comes next, and begin to fetch its bytes at once. */
  #receive(/** @type {import("./types.js").Next} */ next) {
    this.#next = next;
    if (this.#jsPsych.progressBar) this.#jsPsych.progressBar.progress = next.progress;
    sayProgress(this.#texts.plain("task.progress"), next.progress);
    if (next.done) return;
    this.#coming = this.#client.frames(next);
    // It is awaited in #load; until then a failure must not count as unhandled.
    this.#coming.catch(() => {});
  }

  async #load() {
    if (this.#viewing.isStale) void this.#client.displayChanged(await this.#viewing.measure());
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
      touch: this.#touchLabels,
      timing: () => ({ ...this.#page.timing, ...this.#trial().timing }),
      refresh_ms: () => this.#viewing.refreshMs,
      scale: () => this.#viewing.scale,
      device_pixel_ratio: () => this.#viewing.devicePixelRatio,
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
            touch: this.#touchLabels.length > 0,
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
    this.#viewing.seen(refresh_ms);
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
    const seconds = this.#page.break_s;
    const go = [this.#texts.html("task.continue")];
    const screen = this.#buttons(
      () => {
        const pause = this.#trial().break;
        return pause ? breakScreen(this.#texts, pause, seconds > 0) : "";
      },
      go,
      () => {
        if (seconds > 0) countDown(this.#jsPsych.getDisplayElement(), seconds, this.#texts);
      },
    );
    return { ...screen, enable_button_after: 1000 * seconds };
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
   * A screen with buttons; Enter or space presses the first.
   * @param {string | (() => string)} stimulus
   * @param {string[]} choices
   * @param {() => void} [onLoad]
   * @returns {Node}
   */
  #buttons(stimulus, choices, onLoad) {
    return {
      type: this.#plugins.buttons,
      stimulus,
      choices,
      css_classes: ["text"],
      on_load: () => {
        focusOn(this.#jsPsych.getDisplayElement());
        onLoad?.();
      },
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

/**
 * Tell a screen reader what jsPsych's bar shows.
 * @param {string} label
 * @param {number} progress from 0 to 1
 */
function sayProgress(label, progress) {
  const bar = document.getElementById("jspsych-progressbar-outer");
  bar?.setAttribute("role", "progressbar");
  bar?.setAttribute("aria-label", label);
  bar?.setAttribute("aria-valuenow", String(Math.round(100 * progress)));
}

/** Full screen where the browser allows it; the session runs as well in a window. */
async function enterFullScreen() {
  try {
    await document.documentElement.requestFullscreen({ navigationUI: "hide" });
  } catch {
    // Refused, or unknown to this browser; `full_screen` in the session's display says so.
  }
}
