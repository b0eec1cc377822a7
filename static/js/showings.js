/** How often each trial was shown: a reload shows again what was not responded to. */

/** Counts through reloads, in the browser's storage; in memory where it refuses that. */
export class Showings {
  #storage;
  #key;
  /** @type {{ trial: number, n: number }} */
  #last = { trial: -1, n: 0 };

  /**
   * @param {Storage | null} storage
   * @param {string} key
   */
  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
    try {
      this.#last = JSON.parse(storage?.getItem(key) ?? "null") ?? this.#last;
    } catch {
      // Nothing is known of before.
    }
  }

  /**
   * A trial is about to be shown.
   * @param {number} trial
   */
  add(trial) {
    this.#last = { trial, n: this.of(trial) + 1 };
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(this.#last));
    } catch {
      // The count holds until the next reload.
    }
  }

  /**
   * How often a trial was shown.
   * @param {number} trial
   */
  of(trial) {
    return this.#last.trial === trial ? this.#last.n : 0;
  }
}
