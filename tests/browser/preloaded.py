"""Imported by the process that servers are forked from: all that a first trial needs.

A server that starts without it takes seconds of a core to import the house, and more
at its first trial.
"""

import threading

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.stimulus.render import render
from yoked.experiments.stimulus.sources import GeneratedNoise

from . import serve  # noqa: F401 - what a server runs

_protocol = load_protocol("bar-in-noise")
_trial = {"stimulus_id": [0], "contrast": [0.2], "target": [0], "block_kind": ["main"]}
render(_protocol, GeneratedNoise(_protocol, 1), _trial)
assert threading.active_count() == 1, "a process with threads must not be forked"
