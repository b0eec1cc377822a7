/** The screens between trials, as HTML. */

import { escaped } from "./texts.js";

/** @typedef {import("./types.js").Break} Break */
/** @typedef {import("./texts.js").Texts} Texts */

/**
 * A key as it is drawn.
 * @param {string} label
 */
export const keycap = (label) => `<kbd>${escaped(label)}</kbd>`;

/** @param {string} label */
const touchButton = (label) => `<button type="button" class="key">${escaped(label)}</button>`;

/** @param {Texts} texts */
export function fullScreenOffer(texts) {
  return `
    <h1>${texts.html("task.begin_heading")}</h1>
    <p>${texts.html("task.begin")}</p>
    <p>${texts.html("task.leave_full_screen", { key: keycap(texts.plain("key.escape")) })}</p>`;
}

/** @param {Texts} texts */
export function checkingScreen(texts) {
  return `<p class="quiet" role="status">${texts.html("task.checking")}</p>`;
}

/**
 * @param {Texts} texts
 * @param {readonly string[]} obstacles a sentence each
 */
export function heldScreen(texts, obstacles) {
  const items = obstacles.map((sentence) => `<li>${escaped(sentence)}</li>`);
  return `
    <section role="alert"><h1>${texts.html("device.held_heading")}</h1>
    <ul>${items.join("")}</ul><p>${texts.html("device.held")}</p>
    <p><button type="button">${texts.html("device.check_again")}</button></p></section>`;
}

/** @param {Texts} texts */
export function tooSmallScreen(texts) {
  return `
    <section role="alert"><h1>${texts.html("task.too_small_heading")}</h1>
    <p>${texts.html("task.too_small")}</p></section>`;
}

/**
 * @param {Texts} texts
 * @param {readonly string[]} labels of the response keys
 */
export function welcomeBack(texts, labels) {
  return `
    <h1>${texts.html("task.welcome_back_heading")}</h1>
    <p>${texts.html("task.welcome_back", { keys: keyList(texts, labels, "conjunction") })}</p>`;
}

/** @type {Record<string, string>} */
const DONE = { practice: "break.practice_done", calibration: "break.calibration_done", main: "break.main_done" };
/** @type {Record<string, string>} */
const NEXT = { practice: "break.practice_next", calibration: "break.calibration_next", main: "break.main_next" };

/**
 * What is told of right and wrong from now on, and what follows; only where it is news.
 * @param {Texts} texts
 * @param {Break} pause
 */
function changes(texts, { finished, next, is_last, told_before, told_next }) {
  if (told_before && !told_next) return texts.html("break.no_feedback");
  if (!told_before && told_next) return texts.html("break.feedback");
  if (finished === next) return "";
  return is_last ? texts.html("break.last") : texts.html("break.same");
}

/**
 * @param {Texts} texts
 * @param {Break} pause
 * @param {boolean} waits whether nobody can go on at once; a countdown says when
 */
export function breakScreen(texts, pause, waits = false) {
  const { finished, next, main_block, n_main_blocks, minutes_left } = pause;
  const left = texts.html("break.minutes", { n: minutes_left });
  const wait = waits ? '<p class="countdown"></p><p class="unseen" role="status"></p>' : "";
  const hint = changes(texts, pause);
  if (finished === next) {
    const which = next === "main" ? texts.html("break.block", { number: main_block, count: n_main_blocks }) : "";
    return `
      <h1>${texts.html("break.heading")}</h1>
      <p>${which} ${left} ${texts.html("break.rest")}</p>${hint && `<p>${hint}</p>`}${wait}`;
  }
  return `<h1>${texts.html(DONE[finished] ?? finished)}</h1>
    <p>${texts.html(NEXT[next] ?? next)} ${hint}</p>
    <p>${left}</p>${wait}`;
}

/**
 * @param {Texts} texts
 * @param {readonly string[]} labels
 */
export function absentScreen(texts, labels) {
  return `
    <h1>${texts.html("task.absent_heading")}</h1>
    <p>${texts.html("task.absent", { keys: keyList(texts, labels, "disjunction") })}</p>`;
}

/**
 * @param {Texts} texts
 * @param {object} outcome
 * @param {boolean | null} outcome.correct
 * @param {number | null} outcome.response
 * @param {boolean} outcome.tooSoon
 * @param {string | null} outcome.otherKey a key that was pressed in time and is none of the task's
 * @param {readonly string[]} outcome.labels of the task's keys
 * @param {number} outcome.responseMs
 */
export function feedbackScreen(texts, { correct, response, tooSoon, otherKey, labels, responseMs }) {
  const keys = keyList(texts, labels, "disjunction");
  const say = () => {
    if (response === null && otherKey !== null) {
      return ["late", texts.html("feedback.other_key", { key: keycap(otherKey), keys })];
    }
    if (response === null) return ["late", texts.html("feedback.late", { keys, n: seconds(responseMs) })];
    if (tooSoon) return ["late", texts.html("feedback.too_soon", { keys })];
    return correct ? ["right", texts.html("feedback.correct")] : ["wrong", texts.html("feedback.wrong")];
  };
  const [kind, sentence] = say();
  return `<p class="feedback ${kind}" role="alert">${sentence}</p>`;
}

/**
 * @param {Texts} texts
 * @param {string} prompt HTML; empty for our own words
 * @param {readonly string[]} labels of the keys, the least sure first
 * @param {boolean} touch whether they are buttons
 */
export function confidenceScreen(texts, prompt, labels, touch) {
  const asked = prompt || `<p>${texts.html("confidence.question")}</p>`;
  const keys = `<span class="keys">${labels.map(touch ? touchButton : keycap).join(" ")}</span>`;
  const guess = `<span class="guess">${texts.html("confidence.guess")}</span>`;
  const sure = `<span class="sure">${texts.html("confidence.sure")}</span>`;
  const ends = prompt ? keys : `${guess} ${keys} ${sure}`;
  return `<div class="confidence" role="alert">${asked}<p class="steps">${ends}</p></div>`;
}

/**
 * @param {Texts} texts
 * @param {readonly string[]} labels
 * @param {"conjunction" | "disjunction"} type
 */
function keyList(texts, labels, type) {
  return texts.list(labels.map(keycap), type);
}

/** @param {number} ms */
const seconds = (ms) => Math.round(ms / 100) / 10;
