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

/** @param {readonly string[]} keys */
export function welcomeBack(keys) {
  const names = keys.map((key) => `<kbd>${keyLabel(key)}</kbd>`).join(" ");
  return `
    <h1>Welcome back</h1>
    <p>Everything you did is stored. You go on where you stopped, with the keys ${names}.</p>`;
}

/** @param {Break} pause */
export function breakScreen({ finished, next, block, n_blocks }) {
  const begins = BLOCKS[next] ?? next;
  if (finished === next) {
    return `
      <h1>Time for a break</h1>
      <p>Block ${block} of ${n_blocks} is next. Rest your eyes for as long as you like.</p>`;
  }
  const hint =
    finished === "practice"
      ? "From now on you will not be told whether you were right. Go with your impression."
      : "It goes on in the same way, with a break after each block.";
  return `<h1>${BLOCKS[finished] ?? finished}: done</h1>
    <p>Next: ${begins.toLowerCase()}. ${hint}</p>`;
}

/**
 * @param {boolean | null} correct
 * @param {number | null} response
 */
export function feedbackScreen(correct, response) {
  if (response === null) return `<p class="feedback late">Too late: no key was pressed in time</p>`;
  return correct
    ? `<p class="feedback right">Correct</p>`
    : `<p class="feedback wrong">Not this time</p>`;
}

/**
 * How a key is written on a keyboard.
 * @param {string} name
 */
export function keyLabel(name) {
  const arrows = { left: "←", right: "→", up: "↑", down: "↓", space: "Space", return: "Enter" };
  return arrows[/** @type {keyof typeof arrows} */ (name)] ?? name.toUpperCase();
}
