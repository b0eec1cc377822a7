/**
 * The module "jspsych" of a page that loads jsPsych as a script: an import map leads here, so that
 * plugin and page have one jsPsych.
 */

const { jsPsychModule } = /** @type {{ jsPsychModule: typeof import("jspsych") }} */ (
  /** @type {unknown} */ (globalThis)
);

export const { JsPsych, ParameterType, initJsPsych } = jsPsychModule;
