/** How large the screen is and how far away the eye: a card laid on it, and the blind spot. */

import { focusOn } from "./focus.js";
import { keycap } from "./screens.js";

/** @typedef {import("./types.js").ViewingAsked} ViewingAsked */
/** @typedef {import("./types.js").ViewingFound} ViewingFound */

const CARD_MM = { width: 85.6, height: 53.98 };
/** Below this width of the window, in CSS px, a card is held upright: phones are narrower than it is long. */
const NARROW_PX = 560;
/** The point moves as slowly as this: a press that is 300 ms late is 5 mm too far. */
const MM_PER_S = 16;
const START_MM = 35;
const EDGE_PX = 30;
/** Nobody sees it go so soon: a press left over from before. */
const EARLIEST_MS = 500;

/**
 * @typedef {object} Tools
 * @property {HTMLElement} display
 * @property {import("./texts.js").Texts} texts
 * @property {(measured: Record<string, unknown>) => Promise<{ fault?: string, viewing?: ViewingFound }>} tell the
 *   server, which says what follows or why that cannot be
 */

/**
 * Measure until something comes of it, or the participant goes on without.
 * @param {ViewingAsked} asked
 * @param {Tools} tools
 * @returns {Promise<ViewingFound | null>}
 */
export async function measureViewing(asked, tools) {
  const { display, texts, tell } = tools;
  const leaveOut = async () => (await tell({ left_out: true })).viewing ?? null;
  for (;;) {
    const card = await askCard(tools);
    if (!card) return leaveOut();
    const widthMm = card.upright ? CARD_MM.height : CARD_MM.width;
    const cssPxPerMm = card.cssPx / widthMm;
    const spots = [];
    if (asked.measure === "distance") {
      const key = keycap(texts.plain("key.space"));
      await choice(tools, spotScreen(tools, key, asked.n_spots), [texts.html("viewing.spot_begin")]);
      for (let left = asked.n_spots; left > 0; left--) {
        const spot = await findSpot(tools, cssPxPerMm, left);
        if (spot === null) return leaveOut();
        spots.push(spot);
      }
    }
    const { fault, viewing } = await tell({
      card_px: card.cssPx * devicePixelRatio,
      is_upright: card.upright,
      spots_px: spots.map((cssPx) => cssPx * devicePixelRatio),
    });
    if (viewing) {
      const { measured, distance_mm } = viewing;
      if (measured === "distance") {
        const cm = String(Math.round(/** @type {number} */ (distance_mm) / 10));
        const found = `<h1>${texts.html("viewing.found_heading")}</h1><p>${texts.html("viewing.found", { cm })}</p>`;
        await choice(tools, found, [texts.html("task.continue")]);
      }
      display.innerHTML = "";
      return viewing;
    }
    const said = document.createElement("p");
    said.textContent = fault ?? "";
    const heading = `<h1>${texts.html("viewing.fault_heading")}</h1>`;
    const choices = [texts.html("viewing.again"), texts.html("viewing.leave_out")];
    if ((await choice(tools, heading + said.outerHTML, choices)) === 1) return leaveOut();
  }
}

/**
 * Show a screen with buttons; give the number of the one that is pressed.
 * @param {Tools} tools
 * @param {string} html
 * @param {string[]} choices HTML
 * @returns {Promise<number>}
 */
function choice({ display }, html, choices) {
  const buttons = choices.map((words, i) => `<button type="button" ${i ? "" : 'class="primary"'}>${words}</button>`);
  display.innerHTML = `<section>${html}<p class="choices">${buttons.join("")}</p></section>`;
  focusOn(display);
  return new Promise((resolve) => {
    display.querySelectorAll("button").forEach((button, i) => {
      button.addEventListener("click", () => resolve(i), { once: true });
    });
  });
}

/**
 * Let a drawn card be made as large as a real one; null where there is none.
 * @param {Tools} tools
 * @returns {Promise<{ cssPx: number, upright: boolean } | null>}
 */
function askCard({ display, texts }) {
  const upright = innerWidth < NARROW_PX;
  const most = Math.floor(Math.min(innerWidth * 0.86, 1000));
  const least = Math.min(90, most);
  // Whoever takes the first size for right should be told so: it is none of a screen's.
  const start = Math.round(least + 0.15 * (most - least));
  display.innerHTML = `<section>
    <h1>${texts.html("viewing.card_heading")}</h1>
    <p>${texts.html("viewing.card")} ${upright ? texts.html("viewing.card_upright") : ""}</p>
    <div class="card${upright ? " upright" : ""}"></div>
    <p class="sizes"><button type="button" class="smaller" aria-label="${texts.html("viewing.smaller")}">−</button>
      <input type="range" min="${least}" max="${most}" step="1" value="${start}" aria-label="${texts.html("viewing.card_width")}">
      <button type="button" class="larger" aria-label="${texts.html("viewing.larger")}">+</button></p>
    <p class="choices"><button type="button" class="primary fits">${texts.html("viewing.fits")}</button>
      <button type="button" class="no-card">${texts.html("viewing.no_card")}</button></p></section>`;
  const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (display.querySelector(name));
  const card = find(".card");
  const slider = /** @type {HTMLInputElement} */ (find("input"));
  const show = () => {
    card.style.width = `${slider.value}px`;
  };
  const step = (/** @type {number} */ by) => {
    slider.value = String(Number(slider.value) + by);
    show();
  };
  slider.addEventListener("input", show);
  find(".smaller").addEventListener("click", () => step(-1));
  find(".larger").addEventListener("click", () => step(1));
  show();
  const heading = find("h1");
  heading.tabIndex = -1;
  heading.focus(); // Enter does nothing yet: the card has to be laid on first
  return new Promise((resolve) => {
    find(".fits").addEventListener("click", () => resolve({ cssPx: card.getBoundingClientRect().width, upright }));
    find(".no-card").addEventListener("click", () => resolve(null));
  });
}

/**
 * @param {Tools} tools
 * @param {string} key
 * @param {number} n
 */
function spotScreen({ texts }, key, n) {
  return `<h1>${texts.html("viewing.spot_heading")}</h1>
    <p>${texts.html("viewing.spot")}</p><p>${texts.html("viewing.spot_look", { key, n })}</p>`;
}

/**
 * Move a point away from the square until somebody says that it has gone.
 * @param {Tools} tools
 * @param {number} cssPxPerMm
 * @param {number} left how often still, this time included
 * @returns {Promise<number | null>} its distance from the square, CSS px; null where it never goes, as on a
 *   window that is too narrow, and the participant goes on without
 */
function findSpot({ display, texts }, cssPxPerMm, left) {
  display.innerHTML = `<div class="spot"><p role="status">${texts.html("viewing.spot_again", { n: left })}</p>
    <div class="spot-square"></div><div class="spot-point"></div>
    <button type="button" hidden>${texts.html("viewing.leave_out")}</button></div>`;
  const find = (/** @type {string} */ name) => /** @type {HTMLElement} */ (display.querySelector(name));
  const [screen, square, point] = [find(".spot"), find(".spot-square"), find(".spot-point")];
  const [said, leave] = [find(".spot p"), find(".spot button")];
  // Nobody learns where it goes: each time it starts elsewhere.
  const startPx = (START_MM + 10 * Math.random()) * cssPxPerMm;
  return new Promise((resolve) => {
    let [beganMs, awayPx, frame] = [0, 0, 0];
    const controller = new AbortController();
    const done = (/** @type {number | null} */ found) => {
      cancelAnimationFrame(frame);
      controller.abort();
      resolve(found);
    };
    const press = (/** @type {Event} */ { target }) => {
      if (target === leave || beganMs === 0 || performance.now() - beganMs < EARLIEST_MS) return;
      done(awayPx);
    };
    const move = (/** @type {number} */ nowMs) => {
      beganMs ||= nowMs;
      const fromPx = innerWidth - EDGE_PX;
      awayPx = startPx + ((nowMs - beganMs) / 1000) * MM_PER_S * cssPxPerMm;
      if (fromPx - awayPx < EDGE_PX) {
        beganMs = nowMs;
        said.textContent = texts.plain("viewing.spot_missed");
        leave.hidden = false;
      }
      square.style.left = `${fromPx}px`;
      point.style.left = `${fromPx - awayPx}px`;
      frame = requestAnimationFrame(move);
    };
    const { signal } = controller;
    addEventListener("keydown", (event) => {
      if (event.code !== "Space" || event.repeat || event.target === leave) return;
      event.preventDefault();
      press(event);
    }, { signal });
    leave.addEventListener("click", () => done(null), { signal });
    screen.addEventListener("pointerdown", press, { signal });
    frame = requestAnimationFrame(move);
  });
}
