/**
 * Copy what the browser needs of jsPsych from node_modules to static/vendor (`npm run vendor`).
 *
 * The classic builds are copied without their last line, the address of a source map at a third
 * party, which a participant's browser has no business to ask.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "node_modules");
const vendor = join(here, "vendor");

/** Our name for each package's browser build. */
const builds = {
  jspsych: "jspsych.js",
  "@jspsych/plugin-call-function": "plugin-call-function.js",
  "@jspsych/plugin-html-button-response": "plugin-html-button-response.js",
  "@jspsych/plugin-html-keyboard-response": "plugin-html-keyboard-response.js",
};

mkdirSync(vendor, { recursive: true });
const notice = ["Copied unchanged, but for the source map's address, from:", ""];
for (const [name, file] of Object.entries(builds)) {
  const script = readFileSync(join(modules, name, "dist", "index.browser.min.js"), "utf8");
  writeFileSync(join(vendor, file), script.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"));
  const about = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
  const author = about.author?.name ?? about.author;
  notice.push(`${file}: ${name} ${about.version}, ${author}, licence ${about.license}`);
}
writeFileSync(join(vendor, "NOTICE.txt"), notice.join("\n") + "\n");
