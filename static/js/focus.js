/** Where a new screen is read from: its heading, from which Enter goes on as from its first button. */

/**
 * Move the focus to a screen's heading, so that a screen reader begins there and a long screen is
 * seen from its top. Without a heading the first button has it.
 * @param {HTMLElement} screen
 */
export function focusOn(screen) {
  const button = screen.querySelector("button");
  const heading = /** @type {HTMLElement | null} */ (screen.querySelector("h1, h2"));
  if (!heading) return void button?.focus();
  heading.tabIndex = -1;
  heading.addEventListener("keydown", (event) => {
    const goesOn = event.key === "Enter" || (event.key === " " && isAtItsEnd(heading));
    if (!goesOn || event.repeat || !button) return;
    event.preventDefault();
    button.click();
  });
  heading.focus();
}

/**
 * Whether nothing is left to scroll to, which is what space does first.
 * @param {HTMLElement} inside
 */
function isAtItsEnd(inside) {
  for (let part = inside.parentElement; part; part = part.parentElement) {
    const scrolls = part.scrollHeight > part.clientHeight + 1 && getComputedStyle(part).overflowY !== "visible";
    if (scrolls) return part.scrollTop + part.clientHeight >= part.scrollHeight - 1;
  }
  return true;
}
