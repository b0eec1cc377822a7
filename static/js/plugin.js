/** A page of a plugin of jsPsych that a lab has put on its server: run it, and hand in what it measured. */

import { post, storage } from "./asking.js";
import { element, pageData } from "./page.js";
import { Texts } from "./texts.js";
import { Unsent } from "./unsent.js";
import { Refused } from "./upload.js";

/**
 * What jsPsych adds to a plugin's own data.
 */
const NOT_ITS_OWN = ["trial_type", "trial_index", "plugin_version", "time_elapsed"];

const page = pageData();
const texts = new Texts(page);
const vendor = /** @type {any} */ (globalThis);
let isBroken = false;

/**
 * Stop, and say why; the page stays as it is, so that nobody is led on without what was asked.
 * @param {string} sentence
 */
function stop(sentence) {
  isBroken = true;
  const failure = element("failure");
  failure.textContent = sentence;
  failure.hidden = false;
}

/** @param {string} what */
const wrong = (what) => stop(texts.plain("plugin.wrong", { what }));

const unsent = new Unsent(storage(), `yoked plugin ${page.base}`, page.step, async (question, answer, step) => {
  const { fault } = await post(`${page.base}/${question}`, { answer, step });
  if (fault) stop(fault);
  return fault === undefined;
});

/** Hand in what there is, and go on. */
async function handIn() {
  try {
    await unsent.sent();
    if (isBroken) return;
    const { next, faults } = await post(page.base, {});
    if (!next) return stop(Object.values(faults).join(" "));
    unsent.clear();
    location.replace(next);
  } catch (error) {
    const refused = error instanceof Refused ? error : null;
    stop(refused?.message || texts.plain(refused ? "session.refused" : "session.fault"));
    if (!refused) console.error(error);
  }
}

function run() {
  const type = vendor[page.name];
  if (typeof type !== "function" || !type.info) return wrong(texts.plain("plugin.missing"));
  const known = { ...type.info.parameters };
  const other = Object.keys(page.parameters).find((name) => !(name in known));
  if (other) return wrong(texts.plain("plugin.parameter", { name: other }));
  const jsPsych = vendor.initJsPsych({
    display_element: "plugin",
    on_finish: () => {
      if (isBroken) return;
      const [measured] = jsPsych.data.get().values();
      const own = Object.entries(measured ?? {}).filter(([name]) => !NOT_ITS_OWN.includes(name));
      unsent.keep("data", Object.fromEntries(own));
      void handIn();
    },
  });
  jsPsych.run([{ type, ...page.parameters }]);
}

// A plugin that would break the policy is not what the lab sees that it is: nobody takes part in it.
document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
  wrong(texts.plain("plugin.policy", { directive: effectiveDirective }));
});
if (unsent.pending("data") !== undefined) void handIn();
else run();
