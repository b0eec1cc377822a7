/** The response keys: one press that responds, and a log of the keys that came too early. */

/** Names of keys as protocols write them (PsychoPy's), by `KeyboardEvent.key`. */
const NAMES = new Map([
  ["arrowleft", "left"],
  ["arrowright", "right"],
  ["arrowup", "up"],
  ["arrowdown", "down"],
  [" ", "space"],
  ["enter", "return"],
]);

/**
 * The protocol's name of a key.
 * @param {string} key a `KeyboardEvent.key`
 */
export function keyName(key) {
  const lower = key.toLowerCase();
  return NAMES.get(lower) ?? lower;
}

/**
 * The `KeyboardEvent.key` of a protocol's key name.
 * @param {string} name
 */
export function eventKey(name) {
  const named = { left: "ArrowLeft", right: "ArrowRight", up: "ArrowUp", down: "ArrowDown" };
  const others = { space: " ", return: "Enter" };
  return { ...named, ...others }[name] ?? name;
}

/**
 * Listen to `keys`. A press counts from the time given to `open`, by the event's own time stamp, so
 * that a busy page does not lengthen response times; presses before it go to `onEarly`.
 * A key that is held down is no response: its repeats are passed over.
 *
 * @param {readonly string[]} keys
 * @param {{ target: EventTarget, onEarly: (name: string, timeMs: number) => void }} options
 */
export function listenForKeys(keys, { target, onEarly }) {
  const presses = new Presses(keys, onEarly);
  /** @param {Event} event */
  const onKeydown = (event) => {
    const { key, repeat, timeStamp, ctrlKey, metaKey, altKey } =
      /** @type {KeyboardEvent} */ (event);
    // Shortcuts of the browser, such as those of the search in a page, are no responses.
    if (ctrlKey || metaKey || altKey || !keys.includes(keyName(key))) return;
    event.preventDefault();
    if (!repeat) presses.press(keyName(key), timeStamp);
  };
  // In the capture phase, which simulated presses pass through although they do not bubble.
  target.addEventListener("keydown", onKeydown, { capture: true });
  return {
    /** @param {number} timeMs */
    open: (timeMs) => presses.open(timeMs),
    /** The press that responds, null while there is none. */
    press: () => presses.first,
    close: () => target.removeEventListener("keydown", onKeydown, { capture: true }),
  };
}

class Presses {
  /** @type {{ response: number, timeMs: number } | null} */
  first = null;
  #opened = Infinity;
  #keys;
  #onEarly;

  /**
   * @param {readonly string[]} keys
   * @param {(name: string, timeMs: number) => void} onEarly
   */
  constructor(keys, onEarly) {
    this.#keys = keys;
    this.#onEarly = onEarly;
  }

  /** @param {number} timeMs */
  open(timeMs) {
    this.#opened = timeMs;
  }

  /**
   * @param {string} name
   * @param {number} timeMs
   */
  press(name, timeMs) {
    if (timeMs < this.#opened) this.#onEarly(name, timeMs);
    else this.first ??= { response: this.#keys.indexOf(name), timeMs };
  }
}
