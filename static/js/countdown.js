/** How long a break lasts at least: counted down for the eyes, and told to a screen reader now and then. */

/** At these numbers of seconds left it is told; every second would be heard and nothing else. */
const TOLD_AT = [60, 30, 10];

/**
 * Count down until the screen's buttons can be pressed.
 * @param {HTMLElement} root a screen with a countdown and a status
 * @param {number} seconds
 * @param {import("./texts.js").Texts} texts
 * @param {{ now: () => number, wait: (run: () => void, ms: number) => unknown }} [clock]
 */
export function countDown(root, seconds, texts, clock = { now: () => performance.now(), wait: setTimeout.bind(globalThis) }) {
  const shown = root.querySelector(".countdown");
  const told = root.querySelector("[role=status]");
  if (!shown || !told) return;
  shown.setAttribute("aria-hidden", "true");
  const endMs = clock.now() + 1000 * seconds;
  let before = Infinity;
  const tick = () => {
    if (!shown.isConnected) return;
    const left = Math.max(0, Math.ceil((endMs - clock.now()) / 1000));
    const sentence = left > 0 ? texts.plain("break.wait", { n: left }) : texts.plain("break.ready");
    shown.textContent = sentence;
    if (left === 0 || before === Infinity || TOLD_AT.some((at) => left <= at && before > at)) told.textContent = sentence;
    before = left;
    if (left > 0) clock.wait(tick, Math.max(50, endMs - clock.now() - 1000 * (left - 1)));
  };
  tick();
}
