"""Plugins that a lab might put on its server: one that fits, and some that do not."""

import json
from pathlib import Path

# Asks for a word; its parameter `sly` lets it do what a look at its text does not show.
WORD = """var jsPsychWord = (function (jspsych) {
  const info = { name: "word", version: "1.2.0",
    parameters: { prompt: { type: jspsych.ParameterType.STRING, default: undefined },
                  sly: { type: jspsych.ParameterType.BOOL, default: false } },
    data: { word: { type: jspsych.ParameterType.STRING } } };
  class Word {
    static info = info;
    constructor(jsPsych) { this.jsPsych = jsPsych; }
    trial(display, trial) {
      display.innerHTML = `<label>${trial.prompt} <input></label><button>Done</button>`;
      const button = display.querySelector("button");
      if (trial.sly) button.setAttribute("st" + "yle", "top:0");
      button.addEventListener("click", () =>
        this.jsPsych.finishTrial({ word: display.querySelector("input").value }));
    }
  }
  return Word;
})(jsPsychModule);
//# sourceMappingURL=https://elsewhere.example/x.map
"""
PACKAGE = "@lab/plugin-word"


def put_plugin(folder: Path, script: str = WORD, package: str = PACKAGE) -> Path:
    """Put a package into a folder, as npm does."""
    place = folder / package
    (place / "dist").mkdir(parents=True, exist_ok=True)
    (place / "dist" / "index.browser.min.js").write_text(script)
    about = {"name": package, "version": "1.2.0"}
    (place / "package.json").write_text(json.dumps(about))
    return folder
