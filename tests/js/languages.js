/** The real texts of a language; what of TOML its files use. */

import { readFileSync } from "node:fs";

import { Texts } from "../../static/js/texts.js";

const FOLDER = new URL("../../app/web/languages/", import.meta.url);

/** @param {string} language */
export function textsIn(language) {
  /** @type {Record<string, string | Record<string, string>>} */
  const texts = {};
  let table = "";
  for (const line of readFileSync(new URL(`${language}.toml`, FOLDER), "utf8").split("\n")) {
    table = /^\[(.+)\]$/.exec(line)?.[1] ?? table;
    const [, key, value] = /^(\w+) = (.+)$/.exec(line) ?? [];
    if (!key || !value) continue;
    if (table.split(".").length > 1) texts[table] = { .../** @type {object} */ (texts[table]), [key]: JSON.parse(value) };
    else texts[`${table}.${key}`] = JSON.parse(value.replace(/(\w+) = "/g, '"$1": "'));
  }
  return new Texts({ language, texts });
}
