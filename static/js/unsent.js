/** Answers that the server has not acknowledged, kept through a reload, sent one after the other. */

/** @typedef {string | string[] | Record<string, unknown>} Answer */
/** @typedef {{ answer: Answer, step: number, refused?: boolean }} Pending */

export class Unsent {
  #storage;
  #key;
  #step;
  #send;
  /** @type {Map<string, Pending>} */
  #pending = new Map();
  /** @type {Map<string, string>} what the server has, or is being sent */
  #known = new Map();
  /** @type {Promise<void> | null} */
  #sending = null;

  /**
   * @param {Storage | null} storage
   * @param {string} key
   * @param {number} step the highest that the server has
   * @param {(question: string, answer: Answer, step: number) => Promise<boolean>} send done once it is
   *   acknowledged: true if it was taken, false if it stays here only, as no answer to its question
   */
  constructor(storage, key, step, send) {
    this.#storage = storage;
    this.#key = key;
    this.#send = send;
    for (const [question, pending] of this.#kept()) this.#pending.set(question, pending);
    this.#step = Math.max(step, ...[...this.#pending.values()].map((pending) => pending.step));
  }

  /**
   * What the page came with, so that the same again need not be sent.
   * @param {string} question
   * @param {Answer} answer
   */
  knows(question, answer) {
    this.#known.set(question, JSON.stringify(answer));
  }

  /**
   * Keep an answer that is to be sent.
   * @param {string} question
   * @param {Answer} answer
   */
  keep(question, answer) {
    const text = JSON.stringify(answer);
    const waiting = this.#pending.get(question);
    if (JSON.stringify(waiting?.answer) === text) return;
    if (!waiting && this.#known.get(question) === text) return;
    this.#step += 1;
    this.#pending.set(question, { answer, step: this.#step });
    this.#store();
  }

  /**
   * The answer that a reload left unsent; undefined where there is none.
   * @param {string} question
   */
  pending(question) {
    return this.#pending.get(question)?.answer;
  }

  /**
   * Whether there is a later answer to a question than that of a step.
   * @param {string} question
   * @param {number} step
   */
  has(question, step) {
    return (this.#pending.get(question)?.step ?? 0) > step;
  }

  /**
   * Send what there is; done once all of it is acknowledged.
   * @returns {Promise<void>}
   */
  sent() {
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  async #drain() {
    for (;;) {
      const next = [...this.#pending].find(([, { refused }]) => !refused);
      if (!next) return;
      const [question, { answer, step }] = next;
      const isTaken = await this.#send(question, answer, step);
      this.#known.set(question, isTaken ? JSON.stringify(answer) : "");
      if (this.has(question, step)) continue;
      if (isTaken) this.#pending.delete(question);
      else this.#pending.set(question, { answer, step, refused: true });
      this.#store();
    }
  }

  /** Forget all: the page is done. */
  clear() {
    this.#pending.clear();
    try {
      this.#storage?.removeItem(this.#key);
    } catch {
      // Nothing was kept.
    }
  }

  #store() {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify([...this.#pending]));
    } catch {
      // Full or refused: it is kept in memory.
    }
  }

  /** @returns {[string, Pending][]} */
  #kept() {
    try {
      /** @type {[string, Pending][]} */
      const kept = JSON.parse(this.#storage?.getItem(this.#key) ?? "[]");
      return kept.map(([question, { answer, step }]) => [question, { answer, step }]);
    } catch {
      return [];
    }
  }
}
