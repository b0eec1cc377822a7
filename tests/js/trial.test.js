/** One trial: counted refreshes, onsets, missed refreshes, keys early, in time and never. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { framePlan, RefreshClock, refreshesFor, roundingMs } from "../../static/plugin-noise-trial/src/refreshes.js";
import { MAX_EVENTS, runTrial } from "../../static/plugin-noise-trial/src/trial.js";

const TIMING = {
  fixation_ms: 30,
  interval_ms: 20,
  gap_ms: 40,
  response_ms: 200,
  feedback_ms: 0,
  frame_ms: 0,
  tolerance_ms: 20,
  earliest_ms: 100,
};
const KEYS = [
  { name: "f", code: "KeyF" },
  { name: "j", code: "KeyJ" },
];
const PLAN = framePlan({ timing: TIMING, presentations: 2, frames: 1, refreshMs: 10 });

/** @typedef {{ key: string, code?: string, timeMs: number, repeat?: boolean, ctrlKey?: boolean }} Press */

/**
 * Run a trial on a screen that refreshes at the given times, with keys pressed between.
 * @param {(number | Press | Event)[]} script an event is of the second button
 * @param {readonly import("../../static/plugin-noise-trial/src/types.js").Step[]} [plan]
 */
async function play(script, plan = PLAN, buttons = /** @type {EventTarget[]} */ ([])) {
  const target = new EventTarget();
  const callbacks = /** @type {((timeMs: number) => void)[]} */ ([]);
  const drawn = /** @type {string[]} */ ([]);
  const result = runTrial(plan, {
    draw: (step) => void drawn.push(step ? `${step.show} ${step.presentation}.${step.frame}` : "-"),
    keys: KEYS,
    responseMs: TIMING.response_ms,
    refreshMs: 10,
    requestFrame: (callback) => callbacks.push(callback),
    ...{ target, buttons },
  });
  for (const happening of script) {
    if (typeof happening === "number") callbacks.shift()?.(happening);
    else if (happening instanceof Event) buttons[1]?.dispatchEvent(happening);
    else target.dispatchEvent(keydown(happening));
  }
  return { ...(await result), drawn };
}

/** @param {number} timeMs */
function touch(timeMs) {
  const event = new Event("pointerdown", { cancelable: true });
  for (const [name, value] of Object.entries({ timeStamp: timeMs, pointerType: "touch" })) {
    Object.defineProperty(event, name, { value });
  }
  return event;
}

/** @param {Press} press */
function keydown({ key, code = "", timeMs, repeat = false, ctrlKey = false }) {
  const event = new Event("keydown", { cancelable: true });
  const facts = Object.entries({ key, code, timeStamp: timeMs, repeat, ctrlKey });
  for (const [name, value] of facts) Object.defineProperty(event, name, { value });
  return event;
}

/** Refreshes from 0 to the time given, 10 ms apart. */
const refreshes = (/** @type {number} */ untilMs, fromMs = 0) =>
  Array.from({ length: (untilMs - fromMs) / 10 + 1 }, (_, i) => fromMs + 10 * i);

test("a duration becomes the nearest number of refreshes, and never none", () => {
  assert.equal(refreshesFor(100, 1000 / 60), 6);
  assert.equal(refreshesFor(500, 1000 / 144), 72);
  assert.equal(refreshesFor(1, 1000 / 60), 1);
  assert.equal(refreshesFor(0, 1000 / 60), 0);
});

test("a movie shows each frame for its own duration", () => {
  const timing = { ...TIMING, frame_ms: 33.333, gap_ms: 0 };
  const plan = framePlan({ timing, presentations: 2, frames: 9, refreshMs: 1000 / 60 });
  const shown = plan.filter((step) => step.show === "stimulus");
  assert.equal(shown.length, 18);
  assert(shown.every((step) => step.refreshes === 2));
  assert.equal(plan.length, 19); // no gap of zero length
});

test("a cue's frames come before or after those of an interval, and are none of it", () => {
  const refreshMs = 10;
  const before = { ...TIMING, before_ms: [200, 50] };
  const plan = framePlan({ timing: before, presentations: 1, frames: 3, refreshMs });
  const shown = plan.map(({ show, frame, refreshes }) => `${show} ${frame} ${refreshes}`);
  assert.deepEqual(shown.slice(1), ["cue 0 20", "cue 1 5", "stimulus 2 2"]);
  const clock = new RefreshClock(plan, refreshMs);
  for (let time = 0; time < 400; time += refreshMs) clock.advance(time);
  assert.deepEqual(clock.summary().onsets_ms, [280]);
  assert.deepEqual(clock.summary().offsets_ms, [300]);
  assert.equal(clock.summary().frames_shown, 2);
  const after = { ...TIMING, after_ms: [33] };
  const later = framePlan({ timing: after, presentations: 2, frames: 2, refreshMs });
  assert.deepEqual(
    later.map(({ show }) => show),
    ["fixation", "stimulus", "cue", "blank", "stimulus", "cue"],
  );
  assert.equal(roundingMs({ timing: after, frames: 2, refreshMs }), 3);
});

test("each thing stays for its refreshes, and onsets are stamped", async () => {
  const script = [...refreshes(120), { key: "j", timeMs: 125.5 }, 130];
  const result = await play(script);
  const { drawn, onsets_ms, offsets_ms, frames_shown, frames_dropped, response, rt } = result;
  assert.deepEqual(drawn, ["fixation 0.0", "stimulus 0.0", "blank 1.0", "stimulus 1.0", "-"]);
  assert.deepEqual(onsets_ms, [30, 90]);
  assert.deepEqual(offsets_ms, [50, 110]);
  assert.equal(result.refresh_ms, 10);
  assert.equal(frames_shown, 4);
  assert.equal(frames_dropped, 0);
  assert.equal(response, 1);
  assert.equal(rt, 35.5);
});

test("a refresh that was missed is counted, and lengthens what is shown", async () => {
  const late = [0, 10, 20, 30, 70, 80]; // after 30 three refreshes went by
  const script = [...late, ...refreshes(150, 90), { key: "f", timeMs: 151 }, 160];
  const { onsets_ms, frames_dropped } = await play(script);
  assert.deepEqual(onsets_ms, [30, 120]);
  assert.equal(frames_dropped, 3);
});

test("refreshes missed while waiting for the response do not count", async () => {
  const script = [...refreshes(110), { key: "f", timeMs: 111 }, 180];
  assert.equal((await play(script)).frames_dropped, 0);
});

test("a key before the last interval is no response and is logged", async () => {
  const early = { key: "f", timeMs: 42 };
  const script = [...refreshes(40), early, ...refreshes(100, 50), { key: "j", timeMs: 101 }, 110];
  const { response, events } = await play(script);
  assert.equal(response, 1);
  assert.deepEqual(events, [{ kind: "early_key", at_ms: 42, detail: "f" }]);
});

test("a key during the last interval counts, and the interval is shown to its end", async () => {
  const script = [...refreshes(90), { key: "f", timeMs: 92 }, 100, 110];
  const { response, rt, frames_shown, drawn } = await play(script);
  assert.equal(response, 0);
  assert.equal(rt, 2);
  assert.equal(frames_shown, 4);
  assert.equal(drawn.at(-1), "-");
});

test("a key that is held, a shortcut, or none of the responses is passed over", async () => {
  const held = { key: "f", timeMs: 105, repeat: true };
  const search = { key: "f", timeMs: 106, ctrlKey: true };
  const other = { key: "x", timeMs: 107 };
  const pressed = [held, search, other];
  const script = [...refreshes(100), ...pressed, 110, { key: "J", timeMs: 112 }, 120];
  const { response, events, other_key } = await play(script);
  assert.equal(response, 1);
  assert.equal(other_key, "x");
  assert.deepEqual(events, [{ kind: "other_key", at_ms: 107 }]); // which one stays on the page
});

test("a key counts by its place, whatever the layout makes of it", async () => {
  const presses = [
    { key: "а", code: "KeyF" }, // Cyrillic
    { key: "φ", code: "KeyF" }, // Greek
    { key: "Process", code: "KeyF" }, // an input method
    { key: "F", code: "KeyF" }, // caps lock
    { key: "f", code: "" }, // a simulated press
  ];
  for (const press of presses) {
    const script = [...refreshes(100), { ...press, timeMs: 105 }, 110];
    const { response, other_key } = await play(script);
    assert.equal(response, 0);
    assert.equal(other_key, null);
  }
  const elsewhere = { key: "f", code: "KeyU", timeMs: 105 }; // a Dvorak F
  const { response, other_key } = await play([...refreshes(100), elsewhere, ...refreshes(290, 110)]);
  assert.equal(response, null);
  assert.equal(other_key, "f");
});

test("intervals without a gap end where the next begins", async () => {
  const timing = { ...TIMING, gap_ms: 0, frame_ms: 10 };
  const moving = framePlan({ timing, presentations: 2, frames: 2, refreshMs: 10 });
  const { onsets_ms, offsets_ms } = await play([...refreshes(70), { key: "f", timeMs: 75 }, 80], moving);
  assert.deepEqual(onsets_ms, [30, 50]);
  assert.deepEqual(offsets_ms, [50, 70]);
});

test("a page that stands still says for how long, and the stamps have it", async () => {
  const script = [0, 10, 20, 30, 430, 440, ...refreshes(510, 450), { key: "f", timeMs: 511 }, 520];
  const { events, onsets_ms, offsets_ms } = await play(script);
  assert.deepEqual(events, [{ kind: "stall", at_ms: 430, detail: "400 ms" }]);
  assert.equal(/** @type {number} */ (offsets_ms[0]) - /** @type {number} */ (onsets_ms[0]), 410);
});

test("a screen at another rate than was measured is noticed in one trial", async () => {
  const half = Array.from({ length: 15 }, (_, i) => 20 * i);
  const { refresh_ms } = await play([...half, { key: "f", timeMs: 285 }, 300]);
  assert.equal(refresh_ms, 20);
});

test("a screen whose refreshes cannot make up a duration is told beforehand", () => {
  const movie = { timing: { ...TIMING, frame_ms: 33.333 }, frames: 9 };
  assert(roundingMs({ ...movie, refreshMs: 1000 / 60 }) < 7);
  assert(roundingMs({ ...movie, refreshMs: 1000 / 75 }) > 50);
  assert(roundingMs({ timing: { ...TIMING, interval_ms: 100 }, frames: 1, refreshMs: 1000 / 75 }) < 9);
});

test("no key in time is a null response", async () => {
  const { response, rt } = await play(refreshes(290));
  assert.equal(response, null);
  assert.equal(rt, null);
});

test("the log of events has an end", async () => {
  const presses = Array.from({ length: 200 }, () => ({ key: "f", timeMs: 45 }));
  const script = [...refreshes(40), ...presses, ...refreshes(100, 50), { key: "f", timeMs: 101 }, 110];
  assert.equal((await play(script)).events.length, MAX_EVENTS);
});

test("a finger responds as a key does, by its own time stamp, and is told apart", async () => {
  const buttons = [new EventTarget(), new EventTarget()];
  const soon = touch(30);
  const press = touch(103);
  const result = await play([...refreshes(90), soon, ...refreshes(100, 100), press, ...refreshes(150, 110)], PLAN, buttons);
  assert.equal(result.response, 1);
  assert.equal(result.rt, 103 - (result.onsets_ms[1] ?? NaN));
  assert(press.defaultPrevented);
  assert.deepEqual(result.events.map(({ kind, detail }) => [kind, detail]), [["early_key", "j"], ["touch", "touch"]]);
  const byKey = await play([...refreshes(100), { key: "f", code: "KeyF", timeMs: 101 }, ...refreshes(150, 110)], PLAN, buttons);
  assert.deepEqual(byKey.events, []);
});
