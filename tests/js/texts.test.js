/** What screens say: forms of numbers, values, lists, and nothing that could be markup. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { breakScreen, feedbackScreen, welcomeBack } from "../../static/js/screens.js";
import { Texts } from "../../static/js/texts.js";
import { textsIn } from "./languages.js";

const [en, de, fr] = [textsIn("en"), textsIn("de"), textsIn("fr")];

test("a number has the form and the decimal mark of its language", () => {
  assert.match(en.plain("feedback.late", { keys: "F", n: 0.1 }), /within 0\.1 seconds$/);
  assert.match(en.plain("feedback.late", { keys: "F", n: 1 }), /within 1 second$/);
  assert.match(de.plain("feedback.late", { keys: "F", n: 0.1 }), /innerhalb von 0,1 Sekunden$/);
  assert.match(fr.plain("feedback.late", { keys: "F", n: 1.5 }), /en moins de 1,5 seconde$/);
  assert.match(fr.plain("feedback.late", { keys: "F", n: 2 }), /en moins de 2 secondes$/);
});

test("languages have more forms than two", () => {
  const forms = { one: "{n} минута", few: "{n} минуты", many: "{n} минут", other: "{n} минуты" };
  const ru = new Texts({ language: "ru", texts: { "break.minutes": forms } });
  assert.deepEqual(
    [1, 3, 5, 21].map((n) => ru.plain("break.minutes", { n })),
    ["1 минута", "3 минуты", "5 минут", "21 минута"],
  );
});

test("a text is escaped, its values are HTML, and a value is never searched for places", () => {
  const texts = new Texts({ language: "en", texts: { a: "<b> {x} & {y}" } });
  assert.equal(texts.html("a", { x: "<kbd>F</kbd>", y: "{x}" }), "&lt;b&gt; <kbd>F</kbd> &amp; {x}");
  assert.equal(texts.plain("a", { x: "<", y: "" }), "<b> < & ");
  assert.equal(texts.plain("no.such"), "no.such");
});

test("keys are listed as the language does", () => {
  const keys = ["F", "J", "K"];
  assert.match(welcomeBack(en, keys), /<kbd>F<\/kbd>, <kbd>J<\/kbd>,? and <kbd>K<\/kbd>/);
  assert.match(welcomeBack(de, keys), /<kbd>F<\/kbd>, <kbd>J<\/kbd> und <kbd>K<\/kbd>/);
  const about = { correct: null, response: null, tooSoon: false, otherKey: null, labels: ["F", "J"], responseMs: 2000 };
  assert.match(feedbackScreen(fr, about), /<kbd>F<\/kbd> ou <kbd>J<\/kbd> en moins de 2 secondes/);
});

test("a break is told in each language", () => {
  const same = { is_last: false, told_before: false, told_next: false };
  const pause = { finished: "main", next: "main", main_block: 2, n_main_blocks: 6, minutes_left: 1, ...same };
  assert.match(breakScreen(de, pause), /Als Nächstes kommt Block 2 von 6\. Es bleibt noch etwa 1 Minute/);
  assert.match(breakScreen(fr, { ...pause, minutes_left: 12 }), /Il reste environ 12 minutes/);
});
