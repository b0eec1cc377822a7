/** What the server put into a page: its elements, and its data. */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page must have an element #${id}`);
  return /** @type {T} */ (found);
}

/** The JSON that the page carries. */
export function pageData() {
  return JSON.parse(element("page-data").textContent ?? "");
}
