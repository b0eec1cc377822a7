"""The component in PsychoPy's Builder: found, loaded, compiled, and run."""

import csv
from importlib.metadata import entry_points

from .test_noise_trial import only_session, run_script

ACTIVATE = "from psychopy import plugins\nplugins.activatePlugins()\n"
WRITE = """
from psychopy.experiment import Experiment, getAllComponents
from psychopy.experiment.loops import TrialHandler, LoopInitiator, LoopTerminator

exp = Experiment()
settings = exp.settings.params
settings["Full-screen window"].val = False
settings["Window size (pixels)"].val = [500, 400]
settings["Show info dlg"].val = False
settings["Data filename"].val = "'data/run'"
settings["Experiment info"].val = "{'participant': 'p07', 'session': '001'}"
routine = exp.addRoutine("trial")
component = getAllComponents()["NoiseTrialComponent"](exp, "trial", name="noise")
component.params["trials"].val = "2"
component.params["contrast"].val = "0.227"
component.params["refresh"].val = "60"
component.params["log"].val = "results.db"
routine.append(component)
exp.flow.addRoutine(routine, 0)
loop = TrialHandler(exp, name="trials", loopType="sequential", nReps=6)
exp.flow.addLoop(loop, 0, 1)
exp.saveToXML("made.psyexp")
"""
COMPILE = """
from psychopy.scripts.psyexpCompile import compileScript
from psychopy.experiment import Experiment

compileScript("made.psyexp", outfile="made.py")
exp = Experiment()
exp.loadFromXML("made.psyexp")
component = exp.routines["trial"][-1]
print(type(component).__name__, component.params["trials"].val, component.plugin)
print(type(component).getTemplateJSON()["params"]["protocol"]["val"])
"""


def test_psychopy_finds_the_component_by_its_entry_point():
    (found,) = entry_points(
        group="psychopy.experiment.components", name="NoiseTrialComponent"
    )
    assert found.value == "yoked.psychopy:NoiseTrialComponent"
    component = found.load()
    assert component.__name__ == "NoiseTrialComponent"


def test_an_experiment_with_it_is_loaded_compiled_and_run(tmp_path, display):
    said = run_script(tmp_path, ACTIVATE + WRITE + COMPILE)
    assert "NoiseTrialComponent 2 yoked" in said
    run_script(tmp_path, (tmp_path / "made.py").read_text("utf-8-sig"), "f", "j")
    session = only_session(tmp_path / "results.db")
    assert (session.observer, session.status) == ("p07", "finished")
    assert session.trials["response"].notna().any()
    (data,) = (tmp_path / "data").glob("*.csv")
    with data.open(encoding="utf-8-sig", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["noise.trial"]]
    assert [int(row["noise.trial"]) for row in rows] == session.trials["trial"].tolist()
    responses = session.trials["response"].astype("Int64").tolist()
    written = [row["noise.response"] for row in rows]
    assert [w for w in written if w] == [str(r) for r in responses if r == r]
    assert {row["noise.seed"] for row in rows} == {str(session.seed)}
