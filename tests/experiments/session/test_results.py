"""A session shows itself: three lines, the same in a notebook."""

from dataclasses import replace

from yoked.experiments.protocols.files import load_protocol
from yoked.models.observers.guesser import Guesser
from yoked.models.simulate import run


def test_a_session_is_three_lines():
    protocol = load_protocol("bar-in-noise").with_options(trials=100, contrast=0.2)
    made = run(protocol, Guesser(), seed=1)
    made.trials.loc[:9, "excluded"] = True
    first, second, third = repr(made).splitlines()
    assert first == f"session {made.id}, observer guesser"
    assert second == "bar-in-noise, model, finished"
    counted, logged = len(made.counted), len(made.trials)
    assert third == f"{counted} of {logged} logged trials count"
    assert counted < logged
    assert made._repr_html_() == "<br>".join((first, second, third))


def test_a_name_in_a_notebook_cannot_be_markup():
    made = run(load_protocol("bar-in-noise"), Guesser(), seed=1, trials=100)
    observer = replace(made.row.observer, name="<b>me</b>")
    named = replace(made, row=replace(made.row, observer=observer))
    assert "&lt;b&gt;me&lt;/b&gt;" in named._repr_html_()
