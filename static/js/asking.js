/** What pages of questions and of plugins share: their way to the server, and this tab's memory. */

import { element } from "./page.js";
import { sendUntilAcknowledged, waitOrOnline } from "./upload.js";

const line = {
  fetch: globalThis.fetch.bind(globalThis),
  wait: (/** @type {number} */ ms) => waitOrOnline(ms, globalThis),
  random: Math.random,
  onWaiting: (/** @type {boolean} */ isWaiting) => {
    element("connection").hidden = !isWaiting;
  },
};

/**
 * What this tab remembers; none where a browser allows none.
 * @returns {Storage | null}
 */
export function storage() {
  try {
    return globalThis.sessionStorage; // of this tab alone: others may sit at this screen later
  } catch {
    return null;
  }
}

/**
 * Send JSON until the server has acknowledged it.
 * @param {string} url
 * @param {unknown} body
 * @returns {Promise<any>}
 */
export function post(url, body) {
  const headers = { "Content-Type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify(body) };
  return sendUntilAcknowledged(url, request, line, (response) => response.json());
}
