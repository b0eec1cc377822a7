/** What pages of questions and of plugins share: their way to the server, and this tab's memory. */

import { line } from "./line.js";
import { sendUntilAcknowledged } from "./upload.js";

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
