/** What moves a page between a press and its release takes the click from under it, so it waits for the release. */

let released = Promise.resolve();
let release = () => {};

addEventListener(
  "pointerdown",
  () => {
    release();
    released = new Promise((resolve) => {
      release = resolve;
    });
  },
  true,
);
// The click comes after the release, before anything that is put off.
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(release), true);
addEventListener("blur", () => release()); // of the window: the release may never be told

/**
 * Done once no pointer presses on the page.
 * @returns {Promise<void>}
 */
export const untilReleased = () => released;
