"""Imported by the process that others are forked from: what they would import anew.

A server or a presenter that starts without it takes two seconds of a core or more, and
again at its first trial. PsychoPy's window is left out: it holds a line to the screen,
which two processes cannot share.
"""

import threading

import yoked.experiments.lab.run  # noqa: F401
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.stimulus.render import render
from yoked.experiments.stimulus.sources import GeneratedNoise

_protocol = load_protocol("bar-in-noise")
_trial = {"stimulus_id": [0], "contrast": [0.2], "target": [0], "block_kind": ["main"]}
render(_protocol, GeneratedNoise(_protocol, 1), _trial)
assert threading.active_count() == 1, "a process with threads must not be forked"
