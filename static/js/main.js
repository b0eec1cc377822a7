/** The session's page: read its data, wire the modules together, run. */

import { Client } from "./client.js";
import { Experiment } from "./experiment.js";
import { Outbox, Refused, waitOrOnline } from "./upload.js";

/**
 * jsPsych and its plugins are classic scripts, which leave their names on the global object.
 * @typedef {object} Vendor
 * @property {typeof import("jspsych").initJsPsych} initJsPsych
 * @property {unknown} jsPsychCallFunction
 * @property {unknown} jsPsychHtmlButtonResponse
 * @property {unknown} jsPsychHtmlKeyboardResponse
 */
const vendor = /** @type {Vendor} */ (/** @type {unknown} */ (globalThis));

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page must have an element #${id}`);
  return found;
}

/** Local storage, or null where the browser refuses it. */
function storage() {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}

/** @param {unknown} error */
function showFailure(error) {
  element("failure-reason").textContent = reason(error);
  element("failure").hidden = false;
  element("experiment").hidden = true;
  if (!(error instanceof Refused)) console.error(error);
}

/** @param {unknown} error */
function reason(error) {
  if (!(error instanceof Refused)) return "The page met a fault.";
  if (error.status === 409) return "This session is open in another window, which is further on.";
  return error.message;
}

const page = /** @type {import("./types.js").PageData} */ (
  JSON.parse(element("page-data").textContent ?? "")
);
const gray = page.lut[page.background];
document.documentElement.style.setProperty("--background", `rgb(${gray}, ${gray}, ${gray})`);
element("reload").addEventListener("click", () => location.reload());

const line = {
  fetch: globalThis.fetch.bind(globalThis),
  wait: (/** @type {number} */ ms) => waitOrOnline(ms, globalThis),
  random: Math.random,
  onWaiting: (/** @type {boolean} */ isWaiting) => {
    element("connection").hidden = !isWaiting;
  },
};
const client = new Client(page.base, line, new Outbox(storage(), `yoked ${page.base}`));

const jsPsych = vendor.initJsPsych({
  display_element: "experiment",
  show_progress_bar: true,
  auto_update_progress_bar: false,
  message_progress_bar: "Progress",
  on_finish: () => location.replace(`${page.base}/done`),
});
const plugins = {
  buttons: vendor.jsPsychHtmlButtonResponse,
  keyboard: vendor.jsPsychHtmlKeyboardResponse,
  call: vendor.jsPsychCallFunction,
};
const experiment = new Experiment({ jsPsych, plugins, page, client, onFailure: showFailure });
await jsPsych.run(/** @type {any} */ (experiment.timeline()));
