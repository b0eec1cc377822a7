/** Confidence after the choice, feedback by tone, and responses without a limit. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { askConfidence } from "../../static/js/confidence.js";
import { roundingMs } from "../../static/plugin-noise-trial/src/refreshes.js";
import { textsIn } from "./languages.js";
import { Tones, tonesFor } from "../../static/js/tones.js";
import { runTrial } from "../../static/plugin-noise-trial/src/trial.js";

const FEEDBACK = /** @type {const} */ ({ by: "tone", correct_hz: 1000, wrong_hz: 400, tone_ms: 150 });
const KEYS = [
  { name: "1", code: "Digit1" },
  { name: "2", code: "Digit2" },
  { name: "3", code: "Digit3" },
];

/** Frames by hand: `frame(t)` runs what was asked for. */
function frames() {
  /** @type {((timeMs: number) => void)[]} */
  const asked = [];
  return {
    requestFrame: (/** @type {(timeMs: number) => void} */ callback) => void asked.push(callback),
    frame: (/** @type {number} */ timeMs) => asked.splice(0).forEach((callback) => callback(timeMs)),
  };
}

/**
 * @param {EventTarget} target
 * @param {string} code
 * @param {number} timeStamp
 */
function press(target, code, timeStamp) {
  const event = new Event("keydown", { cancelable: true });
  const about = { code, key: code.slice(-1), timeStamp, repeat: false };
  for (const [name, value] of Object.entries(about)) Object.defineProperty(event, name, { value });
  target.dispatchEvent(event);
}

test("confidence is the step of the key, from 1, and a press before the question is none", async () => {
  const target = new EventTarget();
  const display = { innerHTML: "", querySelectorAll: /** @type {any} */ (() => []) };
  const { requestFrame, frame } = frames();
  const asked = { keys: KEYS, prompt: "" };
  const answer = askConfidence(asked, {
    ...{ display, target, requestFrame, texts: textsIn("en") },
    labelOf: ({ name }) => name,
  });
  assert.match(display.innerHTML, /How sure are you/);
  press(target, "Digit3", 5); // still the key of the response, say
  frame(10);
  press(target, "KeyX", 20);
  press(target, "Digit2", 30);
  frame(40);
  assert.equal(await answer, 2);
  assert.equal(display.innerHTML, "");
});

test("a correct and a wrong response have each their tone", () => {
  /** @type {any[]} */
  const played = [];
  const ramp = { setValueAtTime() {}, linearRampToValueAtTime() {} };
  const context = /** @type {any} */ ({
    currentTime: 2,
    destination: {},
    createOscillator() {
      const tone = {
        frequency: { value: 0 },
        connect: (/** @type {any} */ next) => next,
        start: (/** @type {number} */ at) => played.push([tone.frequency.value, at]),
        stop: (/** @type {number} */ at) => played.push(at),
      };
      return tone;
    },
    createGain: () => ({ gain: ramp, connect() {} }),
  });
  const tones = new Tones(FEEDBACK, context);
  tones.play(true);
  tones.play(false);
  assert.deepEqual(played, [[1000, 2], 2.15, [400, 2], 2.15]);
});

test("there are no tones where feedback is written, or where a browser cannot sound", () => {
  assert.equal(tonesFor({ ...FEEDBACK, by: "text" }), null);
  assert.equal(tonesFor(FEEDBACK, {}), null);
});

test("a response without a limit is waited for", async () => {
  const target = new EventTarget();
  const { requestFrame, frame } = frames();
  const plan = [{ show: /** @type {const} */ ("stimulus"), presentation: 0, frame: 0, refreshes: 1 }];
  const options = { draw() {}, keys: KEYS, responseMs: 0, refreshMs: 10, requestFrame, target };
  const trial = runTrial(plan, options);
  for (const at of [0, 10, 60_000, 90_000]) frame(at);
  press(target, "Digit1", 90_001);
  frame(90_010);
  assert.equal((await trial).rt, 90_001);
});

test("drawn durations may be half a refresh away from whole ones", () => {
  const timing = {
    fixation_ms: 100, interval_ms: 100, gap_ms: 100, response_ms: 0, feedback_ms: 0,
    frame_ms: 0, tolerance_ms: 20, earliest_ms: 0,
  };
  assert.equal(roundingMs({ timing, frames: 1, refreshMs: 10 }), 0);
  const jittered = { ...timing, gap_jitter_ms: 50 };
  assert.equal(roundingMs({ timing: jittered, frames: 1, refreshMs: 10 }), 5);
});
