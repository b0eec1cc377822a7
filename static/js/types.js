/**
 * The shapes that travel between the modules and the server; typedefs only.
 *
 * @typedef {object} Timing all in milliseconds
 * @property {number} fixation_ms
 * @property {number} interval_ms
 * @property {number} gap_ms
 * @property {number} response_ms 0: it is waited for
 * @property {number} [fixation_jitter_ms] by how much fixation may be longer
 * @property {number} [gap_jitter_ms]
 * @property {number} feedback_ms
 * @property {number} frame_ms of one frame of a movie; 0 where an interval is a single frame
 * @property {number} tolerance_ms how much longer or shorter than asked a part of a trial may last
 * @property {number} earliest_ms a response sooner than this after the onset is an anticipation
 *
 * @typedef {object} Key a place on the keyboard
 * @property {string} name as in protocols
 * @property {string} code of `KeyboardEvent`
 *
 * @typedef {object} FrameShape the axes of a trial's bytes, C order
 * @property {number} intervals
 * @property {number} frames
 * @property {number} height
 * @property {number} width
 *
 * @typedef {object} Needs what a device must be able to do; the consent page carries it too
 * @property {readonly Key[]} keys the response i is the key i
 * @property {boolean} side_by_side whether all intervals are shown at once, as patches
 * @property {FrameShape} shape
 * @property {number} deg_per_element
 * @property {readonly [number, number]} element_px pixels of one element (rows, columns)
 * @property {Timing} timing
 *
 * @typedef {object} SessionData
 * @property {string} base address of the session, without a slash at its end
 * @property {readonly number[]} lut screen level of each of the 256 contrast levels
 * @property {number} background the contrast level of the background
 * @property {readonly string[]} instructions pages of HTML
 * @property {number} n_recorded trials that the server has
 * @property {Confidence | null} confidence what is asked after each response
 * @property {Feedback} feedback
 *
 * @typedef {object} Confidence
 * @property {readonly Key[]} keys the least sure first
 * @property {string} prompt HTML; empty for our own words
 *
 * @typedef {object} Feedback
 * @property {"text" | "tone" | "both"} by
 * @property {number} correct_hz
 * @property {number} wrong_hz
 * @property {number} tone_ms
 *
 * @typedef {Needs & SessionData} PageData what the session's page carries
 *
 * @typedef {object} Break shown before the first trial of a block
 * @property {string} finished kind of the block that just ended
 * @property {string} next kind of the block that begins
 * @property {number} main_block number of the main block that begins, from 1; 0 before the first
 * @property {number} n_main_blocks
 * @property {number} minutes_left about
 *
 * @typedef {object} NextTrial
 * @property {false} done
 * @property {number} trial
 * @property {number} block
 * @property {string} block_kind
 * @property {boolean} feedback whether the response will be told right or wrong
 * @property {number} progress share of the session that is done, 0 to 1
 * @property {Break | null} break
 * @property {string} frames address of the trial's bytes
 * @property {Partial<Timing>} [timing] durations that were drawn for this trial
 *
 * @typedef {{ done: true, progress: 1 }} Done
 * @typedef {NextTrial | Done} Next
 *
 * @typedef {object} TrialEvent something that happened during a trial
 * @property {string} kind
 * @property {number} at_ms from the first refresh of the trial
 * @property {string} [detail]
 *
 * @typedef {object} SentResponse what is sent for a trial; times from the trial's first refresh
 * @property {number | null} response
 * @property {number | null} rt_ms from the onset of the last interval
 * @property {number[]} onsets_ms one for each interval; patches side by side have one in common
 * @property {number[]} offsets_ms when each of them left the screen
 * @property {number} n_shown how often this trial was shown; more than once after a reload
 * @property {number} frames_shown refreshes with a stimulus on the screen
 * @property {number} frames_dropped refreshes missed between the first fixation and the last frame
 * @property {number | null} [confidence] where it is asked for
 * @property {string | null} digest SHA-256 of the bytes received, null where the browser has none
 * @property {TrialEvent[]} events
 *
 * @typedef {object} Unsent what the page alone needs of a trial
 * @property {number} refresh_ms median time between its refreshes
 * @property {string | null} other_key label of a key pressed in time that is none of the task's
 *
 * @typedef {Omit<SentResponse, "digest" | "n_shown"> & Unsent} TrialResult what a trial measures by itself
 *
 * @typedef {object} Receipt the server's reply to a response
 * @property {boolean | null} correct
 * @property {boolean} too_soon whether the response was an anticipation
 * @property {Next} next
 *
 * @typedef {object} Step one thing on the screen, for a number of refreshes
 * @property {"fixation" | "stimulus" | "blank"} show
 * @property {number} presentation
 * @property {number} frame
 * @property {number} refreshes
 */

export {};
