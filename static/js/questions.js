/** A page of questions: each answer is kept as it is given, and survives a reload. */

import { post, storage } from "./asking.js";
import { element, pageData } from "./page.js";
import { untilReleased } from "./pressed.js";
import { Unsent } from "./unsent.js";
import { Texts } from "./texts.js";
import { Refused } from "./upload.js";

const page = pageData();
const texts = new Texts(page);
const form = /** @type {HTMLFormElement} */ (element("questions"));
const send = element("send");
/** @type {Map<string, string>} what is wrong with an answer, by question */
const faults = new Map();

const unsent = new Unsent(storage(), `yoked answers ${page.base}`, page.step, async (question, answer, step) => {
  const { fault } = await post(`${page.base}/${question}`, { answer, step });
  await untilReleased();
  // What was changed meanwhile is on its way, and has its own reply.
  if (!unsent.has(question, step)) tell(question, fault ?? "");
  return fault === undefined;
});

/** @param {string} question */
const partOf = (question) => element(question);

/**
 * What is answered now.
 * @param {HTMLElement} part
 */
function answerOf(part) {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (part.querySelectorAll("input, textarea"));
  const { kind } = part.dataset;
  if (kind === "several") return [...fields].filter(({ checked }) => checked).map(({ value }) => value);
  if (kind === "single" || kind === "likert") return [...fields].find(({ checked }) => checked)?.value ?? "";
  return fields[0]?.value ?? "";
}

/**
 * Put an answer back that the server does not have.
 * @param {HTMLElement} part
 * @param {any} answer
 */
function show(part, answer) {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (part.querySelectorAll("input, textarea"));
  for (const field of fields) {
    if (field.type === "checkbox") field.checked = answer.includes(field.value);
    else if (field.type === "radio") field.checked = answer === field.value;
    else field.value = answer;
  }
}

/**
 * Say what is wrong with an answer beside it; an empty text takes it back.
 * @param {string} question
 * @param {string} fault
 */
function tell(question, fault) {
  if (fault) faults.set(question, fault);
  else faults.delete(question);
  const said = element(`${question}-fault`);
  said.textContent = fault;
  said.hidden = !fault;
  const part = partOf(question);
  const of = { several: "input", single: null, likert: null }[part.dataset.kind ?? ""];
  const marked = of === null ? [part] : part.querySelectorAll(of ?? "input, textarea");
  for (const one of marked) {
    if (fault) one.setAttribute("aria-invalid", "true");
    else one.removeAttribute("aria-invalid");
  }
  if (!element("summary").hidden) summarise();
}

/** List what is wrong above the questions, in their order, with a way to each. */
function summarise() {
  const parts = /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-question]"));
  const items = [...parts].flatMap(({ id, dataset }) => {
    const fault = faults.get(dataset.question ?? "");
    if (!fault) return [];
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `#${id}`;
    link.textContent = `${questionText(id)} ${fault}`;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      /** @type {HTMLElement | null} */ (partOf(id).querySelector("input, textarea"))?.focus();
    });
    item.append(link);
    return [item];
  });
  element("summary-list").replaceChildren(...items);
  element("summary").hidden = items.length === 0;
}

/** @param {string} id */
const questionText = (id) => partOf(id).querySelector("legend > span, label > span")?.textContent ?? "";

/** @param {unknown} error */
function fail(error) {
  const failure = element("failure");
  const refused = error instanceof Refused ? error : null;
  failure.textContent = refused?.message || texts.plain(refused ? "session.refused" : "session.fault");
  failure.hidden = false;
  if (!refused) console.error(error);
}

let isSending = false;
async function submit() {
  if (isSending) return;
  isSending = true;
  send.setAttribute("aria-disabled", "true");
  try {
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-question]"))) {
      unsent.keep(part.dataset.question ?? "", answerOf(part)); // what a browser filled in by itself, too
    }
    await unsent.sent();
    const reply = faults.size ? {} : await post(page.base, {});
    if (reply.next) {
      unsent.clear();
      return void location.replace(reply.next);
    }
    for (const [question, fault] of Object.entries(reply.faults ?? {})) tell(question, fault);
    summarise();
    element("summary").focus();
  } catch (error) {
    fail(error);
  } finally {
    isSending = false;
    send.removeAttribute("aria-disabled");
  }
}

/** @param {Event} event */
function changed({ target, type }) {
  const part = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("[data-question]"));
  if (!part) return;
  unsent.keep(part.dataset.question ?? "", answerOf(part));
  // While somebody types nothing is sent or complained of; but it is kept.
  if (type === "change") unsent.sent().catch(fail);
}

if (page.gray !== null) {
  document.documentElement.style.setProperty("--background", `rgb(${page.gray}, ${page.gray}, ${page.gray})`);
}
for (const part of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-question]"))) {
  const question = part.dataset.question ?? "";
  unsent.knows(question, answerOf(part));
  const answer = unsent.pending(question);
  if (answer !== undefined) show(part, answer);
}
form.addEventListener("input", changed);
form.addEventListener("change", changed);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void submit();
});
unsent.sent().catch(fail);
