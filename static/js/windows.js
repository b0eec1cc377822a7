/** A session in one window at a time: a second one waits, and neither disturbs the other. */

const PATIENCE_MS = 700; // the page that a reload replaces holds its lock for a moment

/**
 * Run a session while no other window of this browser does. A window that finds another says so,
 * and comes back once that one is closed.
 * @param {string} name of the session
 * @param {object} options
 * @param {LockManager | undefined} options.locks the browser's; secure pages only have them
 * @param {() => void} options.onElsewhere
 * @param {() => void} options.onComeBack
 * @param {() => Promise<unknown>} options.run
 */
export async function inOneWindow(name, { locks, onElsewhere, onComeBack, run }) {
  if (!locks) {
    await run();
    return;
  }
  let isElsewhere = false;
  const timer = setTimeout(() => {
    isElsewhere = true;
    onElsewhere();
  }, PATIENCE_MS);
  await locks.request(name, async () => {
    clearTimeout(timer);
    if (isElsewhere) onComeBack();
    else await run();
    // Held until the page goes: its last screen is the session's too.
    await new Promise(() => {});
  });
}
