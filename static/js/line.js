/** A page's line to the server, which shows when it has to wait. */

import { element } from "./page.js";
import { waitOrOnline } from "./upload.js";

export const line = {
  fetch: globalThis.fetch.bind(globalThis),
  wait: (/** @type {number} */ ms) => waitOrOnline(ms, globalThis),
  random: Math.random,
  onWaiting: (/** @type {boolean} */ isWaiting) => {
    element("connection").hidden = !isWaiting;
  },
};
