/** The session as the browser sees it: what comes next, its bytes, and where responses go. */

import { Refused, sendOnce, sendUntilAcknowledged } from "./upload.js";

/** @typedef {import("./types.js").SentResponse} SentResponse */
/** @typedef {import("./types.js").Next} Next */
/** @typedef {import("./types.js").Receipt} Receipt */

export class Client {
  #base;
  #line;
  #outbox;

  /**
   * @param {string} base address of the session, without a slash at its end
   * @param {import("./upload.js").Line} line
   * @param {import("./upload.js").Outbox} outbox
   */
  constructor(base, line, outbox) {
    this.#base = base;
    this.#line = line;
    this.#outbox = outbox;
  }

  /**
   * What comes next, after anything that a reload left unsent.
   * @returns {Promise<Next>}
   */
  async next() {
    await this.#sendPending();
    return sendUntilAcknowledged(`${this.#base}/next`, {}, this.#line, asJson);
  }

  /**
   * The bytes of a trial, which may have come with the receipt of the one before.
   * @param {import("./types.js").NextTrial} next
   */
  async frames(next) {
    if (next.pixels) return Uint8Array.from(atob(next.pixels), (byte) => byte.charCodeAt(0));
    const buffer = await sendUntilAcknowledged(next.frames, {}, this.#line, asBuffer);
    return new Uint8Array(buffer);
  }

  /**
   * The contrast levels of the examples in the instructions.
   * @param {string} address
   */
  async examples(address) {
    return new Uint8Array(await sendUntilAcknowledged(address, {}, this.#line, asBuffer));
  }

  /**
   * Store the facts about the screen.
   * @param {Record<string, unknown>} display
   */
  async display(display) {
    await sendUntilAcknowledged(`${this.#base}/display`, post(display), this.#line, asJson);
  }

  /**
   * Store what was measured of screen and distance; what cannot be comes back as a sentence.
   * @param {Record<string, unknown>} measured
   * @returns {Promise<{ fault?: string, viewing?: import("./types.js").ViewingFound }>}
   */
  async viewing(measured) {
    return sendUntilAcknowledged(`${this.#base}/viewing`, post(measured), this.#line, asJson);
  }

  /**
   * Store that the screen has changed, if the server takes it; no trial waits for that.
   * @param {Record<string, unknown>} display
   */
  async displayChanged(display) {
    await sendOnce(`${this.#base}/display`, post(display), this.#line);
  }

  /**
   * Hand in a response. It is kept in the browser until the server has acknowledged it.
   * @param {number} trial
   * @param {SentResponse} sent
   * @returns {Promise<Receipt>}
   */
  async respond(trial, sent) {
    this.#outbox.keep({ trial, sent });
    return this.#send(`${trial}?pixels=yes`, sent);
  }

  /**
   * @param {string} trial its number, and whether the next one's pixels are to come along
   * @param {SentResponse} sent
   */
  async #send(trial, sent) {
    const url = `${this.#base}/trials/${trial}`;
    const receipt = await sendUntilAcknowledged(url, post(sent), this.#line, asJson);
    this.#outbox.clear();
    return receipt;
  }

  async #sendPending() {
    const pending = this.#outbox.pending();
    if (!pending) return;
    try {
      await this.#send(`${pending.trial}`, pending.sent);
    } catch (error) {
      // A second window has responded to this trial: the server's row stands. Or the server was brought
      // up to date and takes other fields: the trial is shown again. Either way the session goes on.
      if (!(error instanceof Refused) || ![400, 409].includes(error.status)) throw error;
      this.#outbox.clear();
    }
  }
}

/** @param {Response} response */
const asJson = (response) => response.json();

/** @param {Response} response */
const asBuffer = (response) => response.arrayBuffer();

/**
 * @param {unknown} body
 * @returns {RequestInit}
 */
function post(body) {
  const headers = { "Content-Type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(body) };
}
