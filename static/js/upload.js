/** Talk to the server until it has replied: nothing that a participant did may be lost. */

/** The server understood and said no; trying again would not help. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} message the server's own sentence
   */
  constructor(status, message) {
    super(message);
    this.name = "Refused";
    this.status = status;
  }
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8000;
const TIMEOUT_MS = 15000;

/**
 * How long to wait before trying again: doubling up to a ceiling, half of it by chance, so that
 * many browsers that lost the same server do not come back all at once.
 * @param {number} attempt from 0
 * @param {() => number} random
 */
export function backOffMs(attempt, random) {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 10));
  return ceiling / 2 + (ceiling / 2) * random();
}

/**
 * @typedef {object} Line what a connection is made of; all of it can be replaced in a test
 * @property {typeof globalThis.fetch} fetch
 * @property {(ms: number) => Promise<unknown>} wait
 * @property {() => number} random
 * @property {(isWaiting: boolean) => void} onWaiting told when the server is out of reach, and back
 */

/**
 * Send a request until the server acknowledges it, without an upper count. Whatever is sent this
 * way must be safe to send twice.
 * @param {string} url
 * @param {RequestInit} request
 * @param {Line} line
 * @returns {Promise<Response>} a response with a status below 400
 * @throws {Refused} if the server says that the request is wrong
 */
export async function sendUntilAcknowledged(url, request, line) {
  for (let attempt = 0; ; attempt++) {
    const response = await attemptOnce(url, request, line);
    if (response?.ok) {
      if (attempt > 0) line.onWaiting(false);
      return response;
    }
    if (response && !isPassing(response.status)) {
      if (attempt > 0) line.onWaiting(false);
      throw new Refused(response.status, await sentence(response));
    }
    line.onWaiting(true);
    await line.wait(backOffMs(attempt, line.random));
  }
}

/**
 * @param {string} url
 * @param {RequestInit} request
 * @param {Line} line
 * @returns {Promise<Response | null>} null where there was no reply
 */
async function attemptOnce(url, request, line) {
  try {
    return await line.fetch(url, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    return null;
  }
}

/** @param {number} status */
function isPassing(status) {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

/** @param {Response} response */
async function sentence(response) {
  try {
    return String((await response.json()).error);
  } catch {
    return `the server replied with status ${response.status}`;
  }
}

/**
 * Wait, but no longer than until the browser says that it is online again.
 * @param {number} ms
 * @param {EventTarget} target
 */
export function waitOrOnline(ms, target) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      target.removeEventListener("online", done);
      resolve(undefined);
    };
    const timer = setTimeout(done, ms);
    target.addEventListener("online", done);
  });
}

/**
 * Keeps the one response that the server has not acknowledged, through a reload or a crash.
 * Where the browser refuses storage (private modes do), it is kept in memory only.
 */
export class Outbox {
  #storage;
  #key;
  /** @type {string | null} */
  #inMemory = null;

  /**
   * @param {Storage | null} storage
   * @param {string} key
   */
  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
  }

  /** @param {{ trial: number, sent: import("./types.js").SentResponse }} pending */
  keep(pending) {
    this.#inMemory = JSON.stringify(pending);
    this.#try((storage) => storage.setItem(this.#key, /** @type {string} */ (this.#inMemory)));
  }

  /** @returns {{ trial: number, sent: import("./types.js").SentResponse } | null} */
  pending() {
    const text = this.#try((storage) => storage.getItem(this.#key)) ?? this.#inMemory;
    return text === null ? null : JSON.parse(text);
  }

  clear() {
    this.#inMemory = null;
    this.#try((storage) => storage.removeItem(this.#key));
  }

  /**
   * @template T
   * @param {(storage: Storage) => T} action
   * @returns {T | null}
   */
  #try(action) {
    try {
      return this.#storage ? action(this.#storage) : null;
    } catch {
      return null;
    }
  }
}
