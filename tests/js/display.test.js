/** The screen: the look-up table, whole-number scales, the refresh rate. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { measureRefresh, rgba, wholeScale } from "../../static/js/display.js";
import { eventKey, keyName } from "../../static/js/keyboard.js";
import { breakScreen, feedbackScreen, keyLabel } from "../../static/js/screens.js";

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

test("keys have one name in protocols and another in browsers", () => {
  for (const name of ["left", "right", "up", "down", "space", "return", "f", "1"]) {
    assert.equal(keyName(eventKey(name)), name);
  }
  assert.equal(keyName("F"), "f");
  assert.equal(keyLabel("left"), "←");
  assert.equal(keyLabel("j"), "J");
});

test("feedback tells right, wrong and late apart", () => {
  assert.match(feedbackScreen(true, 0), /Correct/);
  assert.match(feedbackScreen(false, 0), /Not this time/);
  assert.match(feedbackScreen(null, null), /Too late/);
});

test("a break says what is over and what comes", () => {
  const within = breakScreen({ finished: "main", next: "main", block: 4, n_blocks: 8 });
  assert.match(within, /Block 4 of 8/);
  const practice = breakScreen({ finished: "practice", next: "calibration", block: 2, n_blocks: 8 });
  assert.match(practice, /Practice: done/);
  assert.match(practice, /not be told whether you were right/);
});
