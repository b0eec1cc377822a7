/** The look of a trial: class names of its own, and rules that any rule of a page's own outranks. */

const PREFIX = "jspsych-noise-trial-";

/** @param {string} name */
export const className = (name) => PREFIX + name;

// `:where` weighs nothing: `.jspsych-noise-trial-fixation { ... }` in a page's own style wins.
const RULES = `
:where(.${PREFIX}stage) {
  position: relative; display: flex; gap: 1.5rem; justify-content: center; forced-color-adjust: none;
}
:where(.${PREFIX}place) { display: flex; flex-direction: column; align-items: center; gap: 6px; }
:where(.${PREFIX}guide) { width: 2px; height: 14px; background: rgb(0 0 0 / 60%); }
:where(.${PREFIX}fixation) {
  position: absolute; top: 50%; left: 50%; width: 16px; height: 16px; margin: -8px 0 0 -8px;
  background:
    linear-gradient(#000, #000) center / 2px 100% no-repeat,
    linear-gradient(#000, #000) center / 100% 2px no-repeat;
}
/* Below the patches, where thumbs are; TOUCH_PX of display.js is its height. */
:where(.${PREFIX}above) { margin-bottom: 104px; }
:where(.${PREFIX}touches) {
  position: fixed; inset: auto 0 0; height: 104px; padding: 16px; display: flex; gap: 16px;
  justify-content: space-between; forced-color-adjust: none; touch-action: none;
}
:where(.${PREFIX}touch) {
  flex: 0 1 10rem; min-width: 0; height: 72px; display: flex; align-items: center; justify-content: center;
  color: #000; font-size: 1.3rem; background: rgb(255 255 255 / 35%); border: 1px solid rgb(0 0 0 / 60%);
  border-radius: 10px; touch-action: none; user-select: none; -webkit-user-select: none;
}
:where(.${PREFIX}touch:active) { background: rgb(0 0 0 / 20%); }
`;

/** @type {CSSStyleSheet | undefined} */
let sheet;

/**
 * Give a page the rules, once. A sheet that a script makes needs no file, and no leave of a page's
 * content security policy.
 * @param {Document} doc
 */
export function useStyle(doc) {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(RULES);
  }
  if (!doc.adoptedStyleSheets.includes(sheet)) {
    doc.adoptedStyleSheets = [...doc.adoptedStyleSheets, sheet];
  }
}
