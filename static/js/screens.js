/** What the screens between trials say. */

/** @typedef {import("./types.js").Break} Break */

/** @type {Record<string, string>} */
const BLOCKS = {
  practice: "Practice",
  calibration: "First measurement",
  main: "Main part",
};

export const FULL_SCREEN = `
  <h1>Before you begin</h1>
  <p>The patterns are easiest to judge when nothing else is on the screen. Sit at about an arm's
  length, and dim bright lights behind you if you can.</p>
  <p>You can leave full screen at any time with <kbd>Esc</kbd>.</p>`;

export const CHECKING = `<p class="quiet" role="status">Checking the screen…</p>`;

export const TOO_SMALL = `
  <section role="alert"><h1>The window is too small</h1>
  <p>The patterns have no room in it. Please make the window larger, or the page's zoom smaller; the task
  then goes on by itself.</p></section>`;

/** @param {readonly string[]} labels */
export function welcomeBack(labels) {
  return `
    <h1>Welcome back</h1>
    <p>Everything you did is stored. You go on where you stopped, with the keys ${keyList(labels)}.</p>`;
}

/** @param {Break} pause */
export function breakScreen({ finished, next, main_block, n_main_blocks, minutes_left }) {
  const left = `About ${minutes_left} ${minutes_left === 1 ? "minute is" : "minutes are"} left`;
  if (finished === next) {
    const which = next === "main" ? `Block ${main_block} of ${n_main_blocks} is next. ` : "";
    return `
      <h1>Time for a break</h1>
      <p>${which}${left}, breaks not counted. Rest your eyes for as long as you like.</p>`;
  }
  const hint =
    finished === "practice"
      ? "From now on you will not be told whether you were right. Go with your impression."
      : "It goes on in the same way, with a break after each block.";
  return `<h1>${BLOCKS[finished] ?? finished}: done</h1>
    <p>Next: ${(BLOCKS[next] ?? next).toLowerCase()}. ${hint}</p>
    <p>${left}.</p>`;
}

/** @param {readonly string[]} labels */
export function absentScreen(labels) {
  return `
    <h1>Are you there?</h1>
    <p>Several patterns in a row had no response. Press ${keyList(labels, "or")} for each, even when you are
    not sure. Take a rest if you need one, and go on when you are ready.</p>`;
}

/**
 * @param {object} outcome
 * @param {boolean | null} outcome.correct
 * @param {number | null} outcome.response
 * @param {boolean} outcome.tooSoon
 * @param {string | null} outcome.otherKey a key that was pressed in time and is none of the task's
 * @param {readonly string[]} outcome.labels of the task's keys
 * @param {number} outcome.responseMs
 */
export function feedbackScreen({ correct, response, tooSoon, otherKey, labels, responseMs }) {
  const keys = keyList(labels, "or");
  if (response === null && otherKey !== null) {
    return `<p class="feedback late"><kbd>${escaped(otherKey)}</kbd> is none of the keys: press ${keys}</p>`;
  }
  if (response === null) {
    return `<p class="feedback late">Too late: press ${keys} within ${seconds(responseMs)}</p>`;
  }
  if (tooSoon) return `<p class="feedback late">Too soon: look first, then press ${keys}</p>`;
  return correct
    ? `<p class="feedback right">Correct</p>`
    : `<p class="feedback wrong">Not this time</p>`;
}

/**
 * @param {string} prompt HTML; empty for our own words
 * @param {readonly string[]} labels of the keys, the least sure first
 */
export function confidenceScreen(prompt, labels) {
  const asked = prompt || "<p>How sure are you?</p>";
  const keys = labels.map((label) => `<kbd>${escaped(label)}</kbd>`).join(" ");
  const ends = prompt ? keys : `a guess ${keys} quite sure`;
  return `<div class="confidence">${asked}<p>${ends}</p></div>`;
}

/**
 * @param {readonly string[]} labels
 * @param {string} [word] between the last two
 */
function keyList(labels, word = "and") {
  const names = labels.map((label) => `<kbd>${escaped(label)}</kbd>`);
  const last = names.pop() ?? "";
  return names.length > 0 ? `${names.join(", ")} ${word} ${last}` : last;
}

/** @param {number} ms */
function seconds(ms) {
  const s = Math.round(ms / 100) / 10;
  return s === 1 ? "1 second" : `${s} seconds`;
}

/** @param {string} text */
function escaped(text) {
  /** @type {Record<string, string>} */
  const forms = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (one) => forms[one] ?? one);
}
