/** The screen: the look-up table, whole-number scales, the refresh rate. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { countDown } from "../../static/js/countdown.js";
import { obstacles } from "../../static/js/devices.js";
import { measureRefresh, neededWindow, rgba, wholeScale } from "../../static/plugin-noise-trial/src/display.js";
import { eventKey, keyIndex, keyLabel } from "../../static/plugin-noise-trial/src/keyboard.js";
import { breakScreen, feedbackScreen } from "../../static/js/screens.js";
import { exampleScale } from "../../static/js/examples.js";
import { isOther } from "../../static/js/viewing.js";
import { textsIn } from "./languages.js";

const EN = textsIn("en");

test("levels go through the table into opaque gray", () => {
  const inverted = Array.from({ length: 256 }, (_, level) => 255 - level);
  const bytes = rgba(Uint8Array.of(0, 128, 255), inverted);
  assert.deepEqual([...bytes], [255, 255, 255, 255, 127, 127, 127, 255, 0, 0, 0, 255]);
});

const BARS = {
  degPerElement: 0.2,
  elementPx: /** @type {[number, number]} */ ([52, 4]),
  size: { width: 52, height: 52 },
};

test("the scale is the whole number nearest to the visual angle", () => {
  const laptop = { width: 1280, height: 800, devicePixelRatio: 1 };
  assert.equal(wholeScale(BARS, laptop), 2); // 7.6 px an element, of 4 px each
  assert.equal(wholeScale(BARS, { ...laptop, devicePixelRatio: 2 }), 4);
  assert.equal(wholeScale(BARS, { ...laptop, devicePixelRatio: 1.25 }), 2);
});

test("the scale leaves room on a small page, and is never less than one", () => {
  const large = { ...BARS, degPerElement: 20 };
  assert.equal(wholeScale(large, { width: 400, height: 800, devicePixelRatio: 1 }), 6);
  assert.equal(wholeScale(large, { width: 40, height: 40, devicePixelRatio: 1 }), 1);
});

test("the refresh rate is the median of at least sixty intervals", async () => {
  let timeMs = 0;
  let frames = 0;
  const requestFrame = (/** @type {(timeMs: number) => void} */ callback) => {
    timeMs += ++frames % 7 === 0 ? 33.3 : 16.7; // every seventh refresh was missed
    queueMicrotask(() => callback(timeMs));
  };
  const { refresh_ms, refresh_mad_ms, refresh_intervals } = await measureRefresh(requestFrame);
  assert(Math.abs(refresh_ms - 16.7) < 1e-6);
  assert(refresh_mad_ms < 1e-6);
  assert.equal(refresh_intervals, 60);
});

const PHONE = { width: 390, height: 844, devicePixelRatio: 3 };
const NEEDS = {
  keys: [
    { name: "f", code: "KeyF" },
    { name: "j", code: "KeyJ" },
  ],
  side_by_side: false,
  shape: { intervals: 2, frames: 1, height: 52, width: 52 },
  deg_per_element: 0.2,
  element_px: /** @type {[number, number]} */ ([52, 4]),
  timing: {
    fixation_ms: 500,
    interval_ms: 100,
    gap_ms: 500,
    response_ms: 3000,
    feedback_ms: 300,
    frame_ms: 0,
    tolerance_ms: 20,
    earliest_ms: 100,
  },
};
const LAPTOP = {
  keyboard: true,
  width: 1280,
  height: 800,
  devicePixelRatio: 1,
  refreshMs: 1000 / 60,
};

test("a window that is too small for the visual angle says what is needed, and that is enough", () => {
  const small = { width: 320, height: 180, devicePixelRatio: 1 };
  const needed = neededWindow(BARS, small);
  assert.deepEqual(needed, { width: 116, height: 214 });
  assert.equal(neededWindow(BARS, { ...small, .../** @type {object} */ (needed) }), null);
  assert.equal(neededWindow(BARS, PHONE), null);
});

test("buttons for fingers need room below the patches", () => {
  const small = { width: 320, height: 180, devicePixelRatio: 1 };
  assert.deepEqual(neededWindow({ ...BARS, touch: true }, small), { width: 116, height: 214 + 104 });
});

test("an example is as large as a trial's patches, or a whole number of times smaller", () => {
  const shape = { width: 52, intervals: 2 };
  assert.equal(exampleScale(shape, 2, { width: 1280, devicePixelRatio: 1 }), 2);
  assert.equal(exampleScale(shape, 6, { width: 390, devicePixelRatio: 3 }), 6);
  assert.equal(exampleScale({ width: 256, intervals: 2 }, 2, { width: 390, devicePixelRatio: 2 }), 1);
});

test("a display is another when the window, the zoom or the rate is", () => {
  const before = { refresh_ms: 16.7, refresh_mad_ms: 0.1, window_px: [1280, 800], full_screen: false };
  assert(!isOther(before, { ...before, refresh_ms: 16.6, refresh_mad_ms: 0.3, window_px: [1280, 800] }));
  assert(isOther(before, { ...before, window_px: [1280, 720] }));
  assert(isOther(before, { ...before, refresh_ms: 8.3 }));
  assert(isOther(null, before));
});

test("each thing that a device lacks is a sentence of its own", () => {
  assert.deepEqual(obstacles(NEEDS, LAPTOP, EN), []);
  const phone = { ...PHONE, keyboard: false, refreshMs: 1000 / 60 };
  assert.match(obstacles(NEEDS, phone, EN).join(), /^A keyboard is needed/);
  const tablet = { ...phone, touch: true };
  assert.match(obstacles(NEEDS, tablet, EN).join(), /^A keyboard is needed/);
  assert.deepEqual(obstacles({ ...NEEDS, touch: true }, tablet, EN), []);
  const small = { ...LAPTOP, width: 320, height: 180 };
  assert.match(obstacles(NEEDS, small, EN).join(), /320 × 180, and 116 × 214 are needed/);
  const movie = { ...NEEDS, shape: { ...NEEDS.shape, frames: 9 } };
  movie.timing = { ...NEEDS.timing, frame_ms: 33.333 };
  assert.match(obstacles(movie, { ...LAPTOP, refreshMs: 1000 / 75 }, EN).join(), /shows 75 pictures/);
  assert.equal(obstacles(movie, LAPTOP, EN).length, 0);
});

test("a screen whose refreshes cannot be measured is told, and coarse stamps are no reason", async () => {
  assert.match(obstacles(NEEDS, { ...LAPTOP, refreshMs: 0 }, EN).join(), /cannot be measured/);
  assert.match(obstacles(NEEDS, { ...LAPTOP, refreshMs: NaN }, EN).join(), /cannot be measured/);
  let frames = 0;
  const { refresh_ms } = await measureRefresh((callback) => {
    const timeMs = Math.floor((++frames * 16.7) / 50) * 50;
    queueMicrotask(() => callback(timeMs));
  });
  assert(Math.abs(refresh_ms - 16.7) < 1);
});

/** @param {string} name @param {string} code */
const place = (name, code) => ({ name, code });

test("a key is a place: number row and number pad are two, whatever num lock says", () => {
  const keys = [place("1", "Digit1"), place("num_1", "Numpad1")];
  assert.equal(keyIndex(keys, { code: "Digit1", key: "&" }), 0); // AZERTY
  assert.equal(keyIndex(keys, { code: "Digit1", key: "+" }), 0); // Czech
  assert.equal(keyIndex(keys, { code: "Numpad1", key: "End" }), 1); // without num lock
  assert.equal(keyIndex(keys, { code: "End", key: "End" }), -1);
  assert.equal(keyIndex([place("a", "KeyA")], { code: "KeyQ", key: "a" }), -1);
});

test("an event without a place counts by its name", () => {
  for (const name of ["left", "right", "up", "down", "space", "return", "f", "1"]) {
    assert.equal(keyIndex([place("x", "KeyX"), place(name, "-")], { code: "", key: eventKey(name) }), 1);
  }
});

test("a key is called what is printed on it", () => {
  assert.equal(keyLabel(place("left", "ArrowLeft")), "←");
  assert.equal(keyLabel(place("j", "KeyJ")), "J");
  assert.equal(keyLabel(place("a", "KeyA"), new Map([["KeyA", "q"]])), "Q");
  assert.equal(keyLabel(place("f", "KeyF"), new Map([["KeyF", "а"]])), "F"); // Cyrillic has both
  assert.equal(keyLabel(place("1", "Digit1"), new Map([["Digit1", "&"]])), "1");
  assert.equal(keyLabel(place("num_4", "Numpad4")), "4 (number pad)");
  const words = { space: "Leertaste", return: "Eingabe", numberPad: (/** @type {string} */ key) => `${key} (Ziffernblock)` };
  assert.equal(keyLabel(place("num_4", "Numpad4"), undefined, words), "4 (Ziffernblock)");
  assert.equal(keyLabel(place("space", "Space"), undefined, words), "Leertaste");
});

test("feedback tells right, wrong, late, too soon and other keys apart", () => {
  const about = {
    correct: /** @type {boolean | null} */ (true),
    response: /** @type {number | null} */ (0),
    tooSoon: false,
    otherKey: /** @type {string | null} */ (null),
    labels: ["F", "J"],
    responseMs: 3000,
  };
  assert.match(feedbackScreen(EN, about), /Correct/);
  assert.match(feedbackScreen(EN, { ...about, correct: false }), /Not this time/);
  const late = feedbackScreen(EN, { ...about, response: null });
  assert.match(late, /Too late: press <kbd>F<\/kbd> or <kbd>J<\/kbd> within 3 seconds/);
  assert.match(feedbackScreen(EN, { ...about, tooSoon: true }), /Too soon: look first/);
  const other = feedbackScreen(EN, { ...about, response: null, otherKey: "<" });
  assert.match(other, /<kbd>&lt;<\/kbd> is none of the keys: press <kbd>F/);
});

const BREAK = { main_block: 2, n_main_blocks: 6, minutes_left: 12, is_last: false, told_before: false, told_next: false };

test("a break says what is over, what comes and what is left", () => {
  const within = breakScreen(EN, { ...BREAK, finished: "main", next: "main" });
  assert.match(within, /Block 2 of 6 is next. About 12 minutes are left/);
  assert.doesNotMatch(within, /told whether|same way/);
  const practice = { ...BREAK, finished: "practice", next: "calibration", minutes_left: 1 };
  assert.match(breakScreen(EN, practice), /Practice: done/);
  assert.match(breakScreen(EN, practice), /About 1 minute is left/);
});

test("a break says that feedback ends or begins where it does, and nowhere else", () => {
  const parts = { ...BREAK, finished: "practice", next: "main" };
  assert.match(breakScreen(EN, { ...parts, told_before: true }), /not be told whether you were right/);
  assert.match(breakScreen(EN, { ...parts, told_next: true }), /you will be told whether you were right/);
  const both = breakScreen(EN, { ...parts, told_before: true, told_next: true });
  assert.match(both, /goes on in the same way, with a break after each block/);
  assert.match(breakScreen(EN, { ...parts, is_last: true }), /This is the last part/);
  const within = { ...parts, finished: "main", told_before: true };
  assert.match(breakScreen(EN, within), /not be told whether you were right/);
});

test("a countdown is shown each second and told now and then", () => {
  /** @type {Record<string, { textContent: string, isConnected: boolean, setAttribute: () => void }>} */
  const parts = {};
  for (const name of [".countdown", "[role=status]"]) {
    parts[name] = { textContent: "", isConnected: true, setAttribute: () => {} };
  }
  const root = /** @type {any} */ ({ querySelector: (/** @type {string} */ name) => parts[name] });
  let nowMs = 0;
  /** @type {(() => void)[]} */
  const waiting = [];
  countDown(root, 12, EN, { now: () => nowMs, wait: (run) => waiting.push(run) });
  const [shown, told] = [new Set([parts[".countdown"]?.textContent]), new Set([parts["[role=status]"]?.textContent])];
  while (waiting.length) {
    nowMs += 1000;
    waiting.shift()?.();
    shown.add(parts[".countdown"]?.textContent);
    told.add(parts["[role=status]"]?.textContent);
  }
  assert.equal(shown.size, 13);
  assert.deepEqual([...told], ["You can go on in 12 seconds.", "You can go on in 10 seconds.", "You can go on now."]);
});
