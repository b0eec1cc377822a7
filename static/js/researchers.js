/** Pages of researchers: times where they are read, and buttons that need a script. */

import { copy } from "./copy.js";

/**
 * Write times as they are where they are read.
 * @param {ParentNode} part
 */
export function localTimes(part) {
  for (const time of part.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    /** @type {Intl.DateTimeFormatOptions} */
    const style = "day" in time.dataset
      ? { dateStyle: "medium" }
      : { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" };
    time.title = `${time.dateTime.slice(0, 19).replace("T", " ")} UTC`;
    time.textContent = at.toLocaleString(document.documentElement.lang, style);
  }
}

localTimes(document);

/**
 * Show the buttons that carry a data attribute, and what a press does.
 * @param {string} name
 * @param {(button: HTMLButtonElement, value: string) => void | Promise<void>} press
 */
function buttons(name, press) {
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll(`[data-${name}]`))) {
    button.hidden = false;
    button.addEventListener("click", () => void press(button, button.dataset[name] ?? ""));
  }
}

buttons("copies", async (button, id) => {
  const source = document.getElementById(id);
  if (source) button.textContent = (await copy(source)) ? "Copied" : "Selected: copy it with the keyboard";
});

buttons("prints", () => print());

buttons("shows", (button, id) => {
  const field = /** @type {HTMLInputElement | null} */ (document.getElementById(id));
  if (!field) return;
  const shown = field.type === "password";
  field.type = shown ? "text" : "password";
  button.textContent = shown ? "Hide" : "Show";
  button.setAttribute("aria-pressed", String(shown));
});
