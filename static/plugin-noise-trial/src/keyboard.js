/**
 * The response keys: one press that responds, and a log of the keys that came too early.
 *
 * A key is a place on the keyboard (`KeyboardEvent.code`), whatever is printed there and whatever the
 * layout, an input method, caps lock or num lock make of it.
 */

/** @typedef {import("./types.js").Key} Key */

/** What `KeyboardEvent.key` says of keys whose names are others; for events without a place. */
const NAMES = new Map([
  ["arrowleft", "left"],
  ["arrowright", "right"],
  ["arrowup", "up"],
  ["arrowdown", "down"],
  [" ", "space"],
  ["enter", "return"],
]);

/** Keys that everybody presses beside a task, and that are no mistaken response. */
const NO_HINT =
  /^(Shift|Control|Alt|Meta|OS|CapsLock|NumLock|Tab|Escape|F\d|Fn|ContextMenu|Lang|Audio|Volume|Media)/;

/**
 * Which of the keys an event is; -1 for none.
 * @param {readonly Key[]} keys
 * @param {Pick<KeyboardEvent, "code" | "key">} event
 */
export function keyIndex(keys, { code, key }) {
  // A simulated press, and some screen readers' and remote desktops', have no place.
  const hasPlace = code && code !== "Unidentified";
  const name = nameOf(key);
  return keys.findIndex((one) => (hasPlace && one.code ? one.code === code : one.name === name));
}

/**
 * Our name of what `KeyboardEvent.key` says.
 * @param {string} key
 */
function nameOf(key) {
  const lower = key.toLowerCase();
  return NAMES.get(lower) ?? lower;
}

/**
 * A response key, from one or from a `KeyboardEvent.key`, which has no place of its own.
 * @param {import("./types.js").Choice} choice
 * @returns {Key}
 */
export function asKey(choice) {
  return typeof choice === "string" ? { name: nameOf(choice), code: "" } : choice;
}

/**
 * The `KeyboardEvent.key` of a protocol's key name.
 * @param {string} name
 */
export function eventKey(name) {
  const named = { left: "ArrowLeft", right: "ArrowRight", up: "ArrowUp", down: "ArrowDown" };
  const others = { space: " ", return: "Enter" };
  return { ...named, ...others }[name] ?? name.replace("num_", "");
}

const ARROWS = { left: "←", right: "→", up: "↑", down: "↓" };
const WORDS = { space: "Space", return: "Enter", numberPad: (/** @type {string} */ key) => `${key} (number pad)` };

/**
 * How a key is written on this keyboard: its letter where the layout has another Latin one there.
 * @param {Key} key
 * @param {{ get: (code: string) => string | undefined }} [layout]
 * @param {typeof WORDS} [words] in another language
 */
export function keyLabel({ name, code }, layout, words = WORDS) {
  const { space, return: enter } = words;
  const word = { ...ARROWS, space, return: enter }[name];
  if (word) return word;
  if (name.startsWith("num_")) return words.numberPad(name.slice(4));
  const printed = layout?.get(code) ?? "";
  return (/^[a-z]$/i.test(name) && /^[a-z]$/i.test(printed) ? printed : name).toUpperCase();
}

/**
 * A press that responds.
 * @typedef {object} Press
 * @property {number} response
 * @property {number} timeMs
 * @property {string} by "key", or the kind of pointer that pressed a button
 */

/**
 * Listen to `keys`, and to `buttons` that stand for them on a screen that takes touch. A press counts from the time given to `open`, by the event's own time stamp, so
 * that a busy page does not lengthen response times; presses before it go to `onEarly`.
 * A key that is held down is no response: its repeats are passed over.
 *
 * @param {readonly Key[]} keys
 * @param {object} options
 * @param {EventTarget} options.target
 * @param {(name: string, timeMs: number) => void} options.onEarly
 * @param {(label: string, timeMs: number) => void} [options.onOther] a press, in time, of no key of these
 * @param {readonly EventTarget[]} [options.buttons] the button i is for the key i
 */
export function listenForKeys(keys, { target, onEarly, onOther, buttons = [] }) {
  const presses = new Presses(keys, onEarly, onOther ?? (() => {}));
  /** @param {Event} event */
  const onKeydown = (event) => {
    const { key, code, repeat, timeStamp, ctrlKey, metaKey, altKey } =
      /** @type {KeyboardEvent} */ (event);
    // Shortcuts of the browser, such as those of the search in a page, are no responses.
    if (ctrlKey || metaKey || altKey) return;
    const index = keyIndex(keys, { code, key });
    if (index < 0) {
      if (!repeat && !NO_HINT.test(code || key)) presses.other(placeLabel(code, key), timeStamp);
      return;
    }
    event.preventDefault();
    if (!repeat) presses.press(index, timeStamp, "key");
  };
  buttons.forEach((button, index) => {
    button.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // no focus, no zoom
      const { timeStamp, pointerType } = /** @type {PointerEvent} */ (event);
      presses.press(index, timeStamp, pointerType || "pointer");
    });
  });
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

/**
 * What to call a key that was pressed by mistake.
 * @param {string} code
 * @param {string} key
 */
function placeLabel(code, key) {
  return (key.length === 1 && key !== " " ? key : code.replace(/^(Key|Digit|Numpad)/, "")) || key;
}

class Presses {
  /** @type {Press | null} */
  first = null;
  #opened = Infinity;
  #keys;
  #onEarly;
  #onOther;

  /**
   * @param {readonly Key[]} keys
   * @param {(name: string, timeMs: number) => void} onEarly
   * @param {(label: string, timeMs: number) => void} onOther
   */
  constructor(keys, onEarly, onOther) {
    this.#keys = keys;
    this.#onEarly = onEarly;
    this.#onOther = onOther;
  }

  /** @param {number} timeMs */
  open(timeMs) {
    this.#opened = timeMs;
  }

  /**
   * @param {number} index
   * @param {number} timeMs
   * @param {string} by
   */
  press(index, timeMs, by) {
    if (timeMs < this.#opened) this.#onEarly(this.#keys[index]?.name ?? "", timeMs);
    else this.first ??= { response: index, timeMs, by };
  }

  /**
   * @param {string} label
   * @param {number} timeMs
   */
  other(label, timeMs) {
    if (timeMs >= this.#opened && !this.first) this.#onOther(label, timeMs);
  }
}
