/**
 * The shapes that travel between the modules and the server; typedefs only. Those of a trial are the
 * plugin's.
 *
 * @typedef {import("../plugin-noise-trial/src/types.js").Timing} Timing
 * @typedef {import("../plugin-noise-trial/src/types.js").Key} Key
 * @typedef {import("../plugin-noise-trial/src/types.js").FrameShape} FrameShape
 * @typedef {import("../plugin-noise-trial/src/types.js").TrialEvent} TrialEvent
 *
 * @typedef {object} Needs what a device must be able to do; the consent page carries it too
 * @property {readonly Key[]} keys the response i is the key i
 * @property {boolean} [touch] whether a finger may respond, too
 * @property {boolean} side_by_side whether all intervals are shown at once, as patches
 * @property {FrameShape} shape
 * @property {number} deg_per_element
 * @property {readonly [number, number]} element_px pixels of one element (rows, columns)
 * @property {Timing} timing
 * @property {number} [px_per_degree] screen px, once it was measured
 *
 * @typedef {object} SessionData
 * @property {string} base address of the session, without a slash at its end
 * @property {readonly number[]} lut screen level of each of the 256 contrast levels
 * @property {number} background the contrast level of the background
 * @property {readonly string[]} instructions pages of HTML
 * @property {string} instructions_language which may be another than the page's
 * @property {Examples | null} examples
 * @property {number} n_recorded trials that the server has
 * @property {ViewingAsked} viewing what is measured of screen and distance before the first trial
 * @property {Confidence | null} confidence what is asked after each response
 * @property {Feedback} feedback
 * @property {number} break_s for so long nobody goes on in a break
 * @property {readonly string[] | null} responses what each means, for buttons
 *
 * @typedef {object} Examples one for each target
 * @property {string} levels address of their contrast levels (target, interval, y, x)
 * @property {readonly (readonly number[])[]} responses numbers of the keys that are right for each
 *
 * @typedef {object} ViewingAsked
 * @property {"" | "card" | "distance"} measure
 * @property {number} n_spots how often the blind spot is looked for
 * @property {ViewingFound | null} found
 *
 * @typedef {object} ViewingFound what the server made of it
 * @property {string} measured empty where it was left out
 * @property {number} [px_per_degree] screen px
 * @property {number} [distance_mm]
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
 * @typedef {object} Spoken what a page's scripts say
 * @property {string} language
 * @property {Record<string, import("./texts.js").Text>} texts by name
 *
 * @typedef {Needs & SessionData & Spoken} PageData what the session's page carries
 *
 * @typedef {object} Break shown before the first trial of a block
 * @property {string} finished kind of the block that just ended
 * @property {string} next kind of the block that begins
 * @property {number} main_block number of the main block that begins, from 1; 0 before the first
 * @property {number} n_main_blocks
 * @property {boolean} is_last whether no other block follows
 * @property {boolean} told_before whether the block that ended told right from wrong
 * @property {boolean} told_next whether the one that begins does
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
 * @property {string} [pixels] those bytes in base64, where they are few and came along
 * @property {Partial<Timing>} [timing] durations that were drawn for this trial
 *
 * @typedef {{ done: true, progress: 1 }} Done
 * @typedef {NextTrial | Done} Next
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
 * @typedef {object} Receipt the server's reply to a response
 * @property {boolean | null} correct
 * @property {boolean} too_soon whether the response was an anticipation
 * @property {Next} next
 */

export {};
