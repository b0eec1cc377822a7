/**
 * A protocol's session in a page of its own. Change it as you like: what the import needs stands in
 * the data of the noise trials alone.
 *
 * The address may name the observer: `index.html?observer=p01`.
 */

import { NoiseTask } from "@yoked/plugin-noise-trial/task";
import { initJsPsych } from "jspsych";

const { jsPsychHtmlButtonResponse, jsPsychHtmlKeyboardResponse } = /** @type {any} */ (globalThis);

const parameters = await (await fetch("task.json")).json();
const task = new NoiseTask(parameters);
const gray = parameters.lut[parameters.background];
document.documentElement.style.background = `rgb(${gray}, ${gray}, ${gray})`;
document.title = parameters.title;
document.documentElement.lang = parameters.language;
const { texts } = parameters; // by name, in the language of the page

const jsPsych = initJsPsych({
  // Where pages save their data elsewhere (JATOS, DataPipe, ...), this is the line to replace.
  on_finish: () => jsPsych.data.get().localSave("json", `${parameters.name}-${task.seed}.json`),
});
const observer = jsPsych.data.getURLVariable("observer");
if (observer) jsPsych.data.addProperties({ observer });

const button = (/** @type {string} */ stimulus) => ({
  type: jsPsychHtmlButtonResponse,
  stimulus,
  choices: [texts["task.continue"]],
  on_load: () => jsPsych.getDisplayElement().querySelector("button")?.focus(),
});

/** The response to the trial before, in words. */
function outcome() {
  const { response, correct } = jsPsych.data.getLastTrialData().values()[0];
  if (response === null) return texts["feedback.missed"];
  return correct ? `✓ ${texts["feedback.correct"]}` : texts["feedback.wrong"];
}

await task.measure();
const timeline = parameters.instructions.map(button);
let block = 0;
for (const asked of task.trials) {
  if (asked.block !== block) timeline.push(button(`<p>${texts["break.heading"]}</p>`));
  block = asked.block;
  timeline.push(task.trial(asked));
  if (parameters.design.blocks[block].feedback) {
    timeline.push({
      type: jsPsychHtmlKeyboardResponse,
      stimulus: outcome,
      choices: "NO_KEYS",
      trial_duration: parameters.timing.feedback_ms,
    });
  }
}
await jsPsych.run(timeline);
