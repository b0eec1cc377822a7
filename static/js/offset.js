/** By how much this clock is before UTC: for whoever watches a study from another zone. */

/** Write the minutes into the form of the page, where it asks for them. */
export function tellOffset() {
  const field = /** @type {HTMLInputElement | null} */ (document.getElementById("utc-offset"));
  if (field) field.value = String(-new Date().getTimezoneOffset());
}
