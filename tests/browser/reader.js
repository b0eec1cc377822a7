// Put into the page by a test: reads every interval off its canvas as soon as it is drawn, and
// applies a linear template to the pixels, like an observer that sees what the screen was given.
window.yokedTest = { seen: [], picks: [] };

document.addEventListener("yoked:interval", (event) => {
  const { trial, interval, frame, canvas } = event.detail;
  const { width, height } = canvas;
  const rgba = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const levels = Array.from({ length: width * height }, (_, i) => rgba[4 * i]);
  const isGray = levels.every((level, i) => rgba[4 * i + 1] === level && rgba[4 * i + 2] === level);
  window.yokedTest.seen.push({ trial, interval, frame, levels, isGray });
  decide(trial);
});

function decide(trial) {
  const { seen, picks, template, nIntervals, criterion } = window.yokedTest;
  if (!template) return;
  const frames = seen.filter((drawn) => drawn.trial === trial);
  if (frames.length < nIntervals * template.length) return;
  const variables = Array(nIntervals).fill(0);
  for (const { interval, frame, levels } of frames) {
    levels.forEach((level, i) => (variables[interval] += level * template[frame][i]));
  }
  const response =
    nIntervals > 1
      ? variables.indexOf(Math.max(...variables))
      : Number(variables[0] > criterion);
  picks.push({ trial, response, variables });
}

// Resolves with the pick number `index` once it is made, or with null if a screen waits for a button.
window.yokedTest.pick = (index) =>
  new Promise((resolve) => {
    const look = () => {
      const pick = window.yokedTest.picks[index];
      const button = document.querySelector("#jspsych-content button");
      if (pick) resolve(pick);
      else if (button) resolve(null);
      else setTimeout(look, 5);
    };
    look();
  });
