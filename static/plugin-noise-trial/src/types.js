/**
 * The shapes of a trial; typedefs only.
 *
 * @typedef {object} Timing all in milliseconds
 * @property {number} fixation_ms
 * @property {number} interval_ms
 * @property {number} gap_ms
 * @property {number} response_ms 0: it is waited for
 * @property {number} [fixation_jitter_ms] by how much fixation may be longer; `fixation_ms` is this trial's own
 * @property {number} [gap_jitter_ms]
 * @property {number} feedback_ms
 * @property {readonly number[]} [before_ms] of each frame of a cue that comes before an interval
 * @property {readonly number[]} [after_ms] of each frame of a cue that comes after it
 * @property {number} frame_ms of one frame of a movie; 0 where an interval is a single frame
 * @property {number} tolerance_ms how much longer or shorter than asked a part of a trial may last
 * @property {number} earliest_ms a response sooner than this after the onset is an anticipation
 *
 * @typedef {object} Key a place on the keyboard
 * @property {string} name as in protocols
 * @property {string} code of `KeyboardEvent`
 *
 * @typedef {Key | string} Choice a response key: a place, or what `KeyboardEvent.key` says
 *
 * @typedef {object} FrameShape the axes of a trial's bytes, C order
 * @property {number} intervals
 * @property {number} frames
 * @property {number} height
 * @property {number} width
 *
 * @typedef {object} TrialEvent something that happened during a trial
 * @property {string} kind
 * @property {number} at_ms from the first refresh of the trial
 * @property {string} [detail]
 *
 * @typedef {object} Step one thing on the screen, for a number of refreshes
 * @property {"fixation" | "cue" | "stimulus" | "blank"} show
 * @property {number} presentation
 * @property {number} frame
 * @property {number} refreshes
 *
 * @typedef {object} TrialResult what a trial measures; times from its first refresh
 * @property {number | null} response index of the choice
 * @property {number | null} rt in ms, from the onset of the last interval
 * @property {number[]} onsets_ms one for each interval; patches side by side have one in common
 * @property {number[]} offsets_ms when each of them left the screen
 * @property {number} frames_shown refreshes with a stimulus on the screen
 * @property {number} frames_dropped refreshes missed between the first fixation and the last frame
 * @property {TrialEvent[]} events
 * @property {number} refresh_ms median time between its refreshes
 * @property {string | null} other_key label of a key pressed in time that is none of the choices
 * @property {string | null} digest SHA-256 of the bytes drawn, null where the browser has none
 */

export {};
