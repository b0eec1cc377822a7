/** The session's page: read its data, wire the modules together, run. */

import { Client } from "./client.js";
import { Experiment } from "./experiment.js";
import { line } from "./line.js";
import { element, pageData } from "./page.js";
import { Showings } from "./showings.js";
import { Texts } from "./texts.js";
import { Outbox, Refused } from "./upload.js";
import { inOneWindow } from "./windows.js";

/**
 * jsPsych and its plugins are classic scripts, which leave their names on the global object.
 * @typedef {object} Vendor
 * @property {typeof import("jspsych").initJsPsych} initJsPsych
 * @property {unknown} jsPsychCallFunction
 * @property {unknown} jsPsychHtmlButtonResponse
 * @property {unknown} jsPsychHtmlKeyboardResponse
 */
const vendor = /** @type {Vendor} */ (/** @type {unknown} */ (globalThis));

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
  const isElsewhere = error instanceof Refused && error.status === 409;
  element(isElsewhere ? "elsewhere" : "failure").hidden = false;
  element("elsewhere-waits").hidden = isElsewhere; // another device is further on
  element("elsewhere-ahead").hidden = !isElsewhere;
  const refused = error instanceof Refused ? error : null;
  // What the server says of a request's fields is for whoever mends it.
  const isOurs = refused === null || refused.status === 400 || !refused.message;
  const sentence = texts.plain(refused ? "session.refused" : "session.fault");
  element("failure-reason").textContent = isOurs ? sentence : refused.message;
  element("failure-detail").textContent = refused ? `${refused.status} ${refused.message}` : "";
  element("failure-detail").hidden = !refused || !isOurs;
  element("experiment").hidden = true;
  if (!(error instanceof Refused)) console.error(error);
}

/** What is printed on the keys, where the browser tells; not in all, and to secure pages only. */
async function keyboardLayout() {
  try {
    return await /** @type {any} */ (navigator).keyboard.getLayoutMap();
  } catch {
    return undefined;
  }
}

const page = /** @type {import("./types.js").PageData} */ (pageData());
const texts = new Texts(page);
const gray = page.lut[page.background];
document.documentElement.style.setProperty("--background", `rgb(${gray}, ${gray}, ${gray})`);
element("reload").addEventListener("click", () => location.reload());

const client = new Client(page.base, line, new Outbox(storage(), `yoked ${page.base}`));

element("experiment").replaceChildren(); // jsPsych puts its own beside what it finds there
const jsPsych = vendor.initJsPsych({
  display_element: "experiment",
  show_progress_bar: true,
  auto_update_progress_bar: false,
  message_progress_bar: texts.plain("task.progress"),
  on_finish: () => location.replace(`${page.base}/done`),
});
const plugins = {
  buttons: vendor.jsPsychHtmlButtonResponse,
  keyboard: vendor.jsPsychHtmlKeyboardResponse,
  call: vendor.jsPsychCallFunction,
};
const layout = await keyboardLayout();
const showings = new Showings(storage(), `yoked shown ${page.base}`);
const experiment = new Experiment({
  ...{ jsPsych, plugins, page, texts, client, showings, layout },
  onFailure: showFailure,
});
await inOneWindow(`yoked ${page.base}`, {
  locks: navigator.locks,
  onElsewhere: () => {
    element("elsewhere").hidden = false;
    element("experiment").hidden = true; // which is as high as the window
  },
  // The session went on meanwhile: what this page knows of it is old.
  onComeBack: () => location.reload(),
  run: () => jsPsych.run(/** @type {any} */ (experiment.timeline())),
});
