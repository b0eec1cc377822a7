/** What the screens say, in the participant's language: the server's texts, with values filled in. */

/** @typedef {string | Record<string, string>} Text a sentence, or one for each plural category of a number n */

const PLACE = /\{(\w+)\}/g;

export class Texts {
  #texts;
  #plural;
  #number;
  #list;

  /** @param {{ language: string, texts: Record<string, Text> }} page */
  constructor({ language, texts }) {
    this.language = language;
    this.#texts = texts;
    this.#plural = new Intl.PluralRules(language);
    this.#number = new Intl.NumberFormat(language);
    this.#list = (/** @type {"conjunction" | "disjunction"} */ type) => new Intl.ListFormat(language, { type });
  }

  /**
   * A text as it is written.
   * @param {string} name
   * @param {Record<string, string | number>} [values]
   */
  plain(name, values = {}) {
    return this.#text(name, values).replace(PLACE, (_, place) => this.#written(values[place]));
  }

  /**
   * A text as HTML. The values are HTML already; numbers are written as the language does.
   * @param {string} name
   * @param {Record<string, string | number>} [values]
   */
  html(name, values = {}) {
    return escaped(this.#text(name, values)).replace(PLACE, (_, place) => this.#written(values[place]));
  }

  /**
   * A list of things: "F and J", "F or J".
   * @param {readonly string[]} items
   * @param {"conjunction" | "disjunction"} type
   */
  list(items, type) {
    return this.#list(type).format(items);
  }

  /**
   * @param {string} name
   * @param {Record<string, string | number>} values
   */
  #text(name, values) {
    const text = this.#texts[name] ?? name; // a session goes on even without a sentence
    if (typeof text === "string") return text;
    return text[this.#plural.select(Number(values.n))] ?? text.other ?? name;
  }

  /** @param {string | number | undefined} value */
  #written(value) {
    return typeof value === "number" ? this.#number.format(value) : (value ?? "");
  }
}

/** @param {string} text */
export function escaped(text) {
  /** @type {Record<string, string>} */
  const forms = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (one) => forms[one] ?? one);
}
