/** One trial in time: run the plan, take the response, log what disturbs. */

import { listenForKeys } from "./keyboard.js";
import { RefreshClock, rounded } from "./refreshes.js";

/** @typedef {import("./types.js").Step} Step */
/** @typedef {import("./types.js").TrialResult} TrialResult */

/** More events than this in one trial say nothing new, and would make the body too long. */
export const MAX_EVENTS = 50;

/** A refresh that comes later than this is no missed frame: the page stood still. */
export const STALL_MS = 250;

/**
 * Run a plan refresh by refresh, then wait for the response until `responseMs` after the onset of the
 * last interval; 0: for as long as it takes. Durations are counted in refreshes: one that the browser misses lengthens what is
 * on the screen, and is counted. A time stamp is that of the animation frame in which the pixels
 * were drawn; they reach the screen at the next refresh at the earliest.
 *
 * @param {readonly Step[]} plan
 * @param {object} options
 * @param {(step: Step | null) => void} options.draw shows a step; null clears the screen
 * @param {readonly import("./types.js").Key[]} options.keys
 * @param {number} options.responseMs
 * @param {number} options.refreshMs
 * @param {(callback: (timeMs: number) => void) => unknown} options.requestFrame
 * @param {readonly EventTarget[]} [options.buttons] which stand for the keys on a screen that takes touch
 * @param {EventTarget} options.target where the keys are pressed and the page's events arrive
 * @returns {Promise<Omit<TrialResult, "digest">>}
 */
export function runTrial(plan, { draw, keys, responseMs, refreshMs, requestFrame, target, buttons = [] }) {
  const clock = new RefreshClock(plan, refreshMs);
  const log = new EventLog(clock);
  /** @type {string | null} */
  let otherKey = null;
  const keyboard = listenForKeys(keys, {
    ...{ target, buttons },
    onEarly: (name, timeMs) => log.add("early_key", timeMs, name),
    onOther: (label, timeMs) => {
      otherKey = label;
      log.add("other_key", timeMs); // which one is nobody's business
    },
  });
  let previous = NaN;
  const stopWatching = watchPage(target, log);
  const lastPresentation = Math.max(...plan.map((step) => step.presentation));

  return new Promise((resolve) => {
    /** @param {number} timeMs */
    const tick = (timeMs) => {
      const elapsed = timeMs - previous;
      if (elapsed > STALL_MS) log.add("stall", timeMs, `${Math.round(elapsed)} ms`);
      previous = timeMs;
      const { step, changed, isOnset } = clock.advance(timeMs);
      if (changed) draw(step);
      if (isOnset && step?.presentation === lastPresentation) keyboard.open(timeMs);
      const press = keyboard.press();
      const isLate = responseMs > 0 && timeMs - clock.lastOnset >= responseMs;
      const isOver = step === null && (press || isLate);
      if (!isOver) return void requestFrame(tick);
      keyboard.close();
      stopWatching();
      if (press && press.by !== "key") log.add("touch", press.timeMs, press.by);
      resolve({
        response: press?.response ?? null,
        rt: press ? rounded(press.timeMs - clock.lastOnset) : null,
        ...clock.summary(),
        events: log.events,
        other_key: otherKey,
      });
    };
    requestFrame(tick);
  });
}

class EventLog {
  /** @type {import("./types.js").TrialEvent[]} */
  events = [];
  #clock;

  /** @param {RefreshClock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /**
   * @param {string} kind
   * @param {number} timeMs
   * @param {string} [detail]
   */
  add(kind, timeMs, detail) {
    if (this.events.length >= MAX_EVENTS) return;
    // Before the first refresh there is no start to count from.
    const at_ms = Number.isNaN(this.#clock.start) ? 0 : rounded(timeMs - this.#clock.start);
    this.events.push({ kind, at_ms, ...(detail === undefined ? {} : { detail }) });
  }
}

/**
 * Log when the page is hidden, loses the keyboard, changes size or leaves full screen.
 * @param {EventTarget} target
 * @param {EventLog} log
 */
function watchPage(target, log) {
  /** @param {Event} event */
  const onEvent = (event) => {
    const isHiding = event.type !== "visibilitychange" || globalThis.document?.hidden;
    if (isHiding) log.add(PAGE_EVENTS[event.type] ?? event.type, event.timeStamp);
  };
  const types = Object.keys(PAGE_EVENTS);
  for (const type of types) target.addEventListener(type, onEvent);
  return () => types.forEach((type) => target.removeEventListener(type, onEvent));
}

/** @type {Record<string, string>} */
const PAGE_EVENTS = {
  visibilitychange: "hidden",
  blur: "blur",
  resize: "resize",
  fullscreenchange: "fullscreen_change",
};
