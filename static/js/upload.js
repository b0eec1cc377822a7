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
/** Of an attempt; the first are shorter: a connection that went silent is soon opened anew. */
const TIMEOUTS_MS = [5000, 10000, 20000];

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
 * way must be safe to send twice. A reply that breaks off on its way is none.
 * @template T
 * @param {string} url
 * @param {RequestInit} request
 * @param {Line} line
 * @param {(response: Response) => Promise<T>} read takes the body of a status below 400
 * @returns {Promise<T>}
 * @throws {Refused} if the server says that the request is wrong
 */
export async function sendUntilAcknowledged(url, request, line, read) {
  for (let attempt = 0; ; attempt++) {
    const last = TIMEOUTS_MS.length - 1;
    const timeoutMs = /** @type {number} */ (TIMEOUTS_MS[Math.min(attempt, last)]);
    const reply = await attemptOnce(url, request, line, read, timeoutMs);
    if (reply && !isPassing(reply.status)) {
      if (attempt > 0) line.onWaiting(false);
      if (reply.status < 400) return /** @type {T} */ (reply.body);
      throw new Refused(reply.status, reply.sentence ?? "");
    }
    line.onWaiting(true);
    await line.wait(backOffMs(attempt, line.random));
  }
}

/**
 * Send a request once, whatever comes of it: for what is worth knowing and not worth waiting for.
 * @param {string} url
 * @param {RequestInit} request
 * @param {Pick<Line, "fetch">} line
 */
export async function sendOnce(url, request, line) {
  const timeoutMs = /** @type {number} */ (TIMEOUTS_MS[0]);
  await attemptOnce(url, request, line, (response) => response.arrayBuffer(), timeoutMs);
}

/**
 * @template T
 * @param {string} url
 * @param {RequestInit} request
 * @param {Pick<Line, "fetch">} line
 * @param {(response: Response) => Promise<T>} read
 * @param {number} timeoutMs until the whole of the reply is here
 * @returns {Promise<{ status: number, body?: T, sentence?: string } | null>} null without a reply
 */
async function attemptOnce(url, request, line, read, timeoutMs) {
  const controller = new AbortController(); // AbortSignal.timeout is too young for some browsers
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  try {
    const response = await line.fetch(url, { ...request, signal: controller.signal });
    const { status, ok } = response;
    return ok ? { status, body: await read(response) } : { status, sentence: await sentence(response) };
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
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
    return ""; // of a proxy, say: the status has to do
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
