"""Our jsPsych plugin: it runs in jsPsych's simulation, where a model may respond."""

import pytest

from yoked.experiments.protocols.files import load_protocol

RUN = """async ([mode, data, files]) => {
  const plugin = await import(`${files}/plugin-noise-trial/index.js`);
  const jsPsych = initJsPsych();
  const trial = {
    type: plugin.default,
    trial: 0,
    bytes: () => Uint8Array.from({ length: 2 * 12 }, (_, i) => 120 + i),
    shape: { intervals: 2, frames: 1, height: 3, width: 4 },
    timing: { fixation_ms: 20, interval_ms: 50, gap_ms: 20, response_ms: 3000,
              feedback_ms: 0, frame_ms: 0 },
    choices: ["ArrowLeft", { name: "space", code: "Space" }],
    lut: Array.from({ length: 256 }, (_, level) => level),
    refresh_ms: 1000 / 60,
  };
  await jsPsych.simulate([trial], mode, { default: data ? { data } : {} });
  return jsPsych.data.get().values()[0];
}"""


# The consent page has none, since it needs no jsPsych; its policy allows this one, to
# the letter.
IMPORT_MAP = """() => {
  const script = document.querySelector("script[src]").getAttribute("src");
  const files = script.replace("/js/study.js", "");
  const map = document.createElement("script");
  map.type = "importmap";
  map.textContent =
    `{"imports": {"jspsych": "${files}/plugin-noise-trial/browser/jspsych.js"}}`;
  document.head.append(map);
  return files;
}"""


@pytest.fixture
def simulate(page, serve):
    """Return a function that simulates one trial and gives jsPsych's data of it."""
    address = serve(load_protocol("bar-in-noise")).address
    page.goto(address)
    files = page.evaluate(IMPORT_MAP)
    page.add_script_tag(url=f"{files}/vendor/jspsych.js")
    return lambda mode, data=None: page.evaluate(RUN, [mode, data, files])


def test_a_simulated_trial_takes_the_model_s_response(simulate):
    data = simulate("data-only", {"response": 1, "rt": 321})
    assert (data["response"], data["rt"]) == (1, 321)
    assert data["onsets_ms"] == pytest.approx([1000 / 60, 5000 / 60])
    assert data["offsets_ms"] == pytest.approx([4000 / 60, 8000 / 60])
    assert data["frames_shown"] == 6
    assert data["trial_type"] == "noise-trial"


def test_a_simulated_trial_responses_by_chance_without_a_model(simulate):
    data = simulate("data-only")
    assert data["response"] in (0, 1)
    assert data["rt"] > 0


def test_a_trial_shown_to_a_simulation_is_responded_to_by_the_key(simulate):
    data = simulate("visual", {"response": 0, "rt": 150})
    assert data["response"] == 0
    assert 100 < data["rt"] < 1000
    assert data["frames_shown"] == 6
    assert len(data["onsets_ms"]) == 2
