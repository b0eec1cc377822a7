/** Feedback by tones, through the browser's own synthesiser. */

/** @typedef {import("./types.js").Feedback} Feedback */

const VOLUME = 0.3;
/** A tone that begins or ends at once clicks. */
const RAMP_S = 0.01;

export class Tones {
  #context;
  #feedback;

  /**
   * @param {Feedback} feedback
   * @param {Pick<AudioContext, "currentTime" | "destination" | "createOscillator" | "createGain" | "resume">} context
   */
  constructor(feedback, context) {
    this.#feedback = feedback;
    this.#context = context;
  }

  /** Browsers let a page sound once somebody has pressed something. */
  unlock() {
    return this.#context.resume();
  }

  /** @param {boolean} correct */
  play(correct) {
    const { correct_hz, wrong_hz, tone_ms } = this.#feedback;
    const [begins, lasts] = [this.#context.currentTime, tone_ms / 1000];
    const oscillator = this.#context.createOscillator();
    const gain = this.#context.createGain();
    oscillator.frequency.value = correct ? correct_hz : wrong_hz;
    gain.gain.setValueAtTime(0, begins);
    gain.gain.linearRampToValueAtTime(VOLUME, begins + RAMP_S);
    gain.gain.setValueAtTime(VOLUME, begins + Math.max(RAMP_S, lasts - RAMP_S));
    gain.gain.linearRampToValueAtTime(0, begins + Math.max(2 * RAMP_S, lasts));
    oscillator.connect(gain).connect(this.#context.destination);
    oscillator.start(begins);
    oscillator.stop(begins + Math.max(2 * RAMP_S, lasts));
  }
}

/**
 * The tones of a session; null where it has none, or the browser cannot sound: feedback is then written.
 * @param {Feedback} feedback
 * @param {{ AudioContext?: typeof AudioContext }} [browser]
 */
export function tonesFor(feedback, browser = globalThis) {
  if (feedback.by === "text" || !browser.AudioContext) return null;
  return new Tones(feedback, new browser.AudioContext());
}
