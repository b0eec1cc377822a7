/** Copying what a page shows. */

/**
 * Copy an element's text; where the browser refuses, it is left selected.
 * @param {HTMLElement} source
 */
export async function copy(source) {
  const range = document.createRange();
  range.selectNodeContents(source);
  const selection = getSelection();
  selection?.removeAllRanges();
  selection?.addRange(range);
  try {
    await navigator.clipboard.writeText(source.innerText);
    return true;
  } catch {
    // Pages without a certificate have no clipboard, but the older way.
    return document.execCommand("copy");
  }
}
