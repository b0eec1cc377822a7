"""The registry: names without torch, a user's own file, and what is refused."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from yoked.models import registry
from yoked.models.observers.guesser import Guesser
from yoked.models.registry import load, names, register

OWN = """
from dataclasses import dataclass
import numpy as np

@dataclass
class Left:
    name: "str" = "left"
    def prepare(self, viewing): pass
    def decide(self, frames, noise):
        return np.tile([1.0, 0.0], (len(frames), 1))

class Blind:
    name = "blind"
    def prepare(self, viewing): pass

ready = Left("ready")
"""


@pytest.fixture
def own_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    return path


def run_python(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )


def test_the_shipped_observers_are_listed_in_order():
    assert names() == sorted(names())
    assert {"guesser", "retina-cnn", "template"} <= set(names())


def test_listing_the_names_imports_no_torch():
    code = (
        "import sys; from yoked.models.registry import names; names();"
        "print('torch' in sys.modules)"
    )
    assert run_python(code).stdout.strip() == "False"


def test_linear_observers_and_their_presenter_import_neither_torch_nor_the_database():
    code = (
        "import sys, yoked.models.observers.template, yoked.models.observers.guesser, "
        "yoked.models.decision, yoked.models.simulate;"
        "print({'torch', 'sqlite_utils', 'flask'} & set(sys.modules))"
    )
    assert run_python(code).stdout.strip() == "set()"


def test_an_observer_is_made_with_its_options():
    assert load("template", efficiency=0.5).parameters == {"efficiency": 0.5}


def test_a_wrong_name_gets_the_nearest_right_one():
    with pytest.raises(
        LookupError, match=r"no observer named 'retna-cnn'; did you mean 'retina-cnn'\?"
    ):
        load("retna-cnn")


def test_a_name_near_to_none_gets_the_list():
    with pytest.raises(LookupError, match=r"there are alexnet, bl, .*, template, v"):
        load("xyz")


def test_a_wrong_option_gets_the_nearest_right_one():
    with pytest.raises(
        ValueError,
        match=r"of template must be one of efficiency, pool, got 'eficiency'; did you",
    ):
        load("template", eficiency=0.5)


def test_a_class_in_a_users_file_is_an_observer(own_file):
    assert load(f"{own_file}:Left").name == "left"


def test_an_object_in_a_users_file_is_an_observer(own_file):
    assert load(f"{own_file}:ready").name == "ready"


def test_a_wrong_name_in_a_users_file_gets_the_nearest_right_one(own_file):
    with pytest.raises(
        LookupError, match=r"no observer named 'Lift' in .*; did you mean 'Left'\?"
    ):
        load(f"{own_file}:Lift")


def test_a_missing_file_is_said_to_be_missing():
    with pytest.raises(LookupError, match=r"must exist, got 'nowhere\.py'"):
        load("nowhere.py:Left")


def test_an_observer_that_cannot_decide_is_refused(own_file):
    with pytest.raises(
        ValueError, match="must have name, prepare and decide, got no decide"
    ):
        load(f"{own_file}:Blind")


def test_a_registered_observer_is_found_by_its_name(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})
    register("coin")(Guesser)
    assert "coin" in names()
    assert isinstance(load("coin"), Guesser)


def test_a_name_cannot_be_taken_twice():
    with pytest.raises(ValueError, match="must be free, got 'template'"):
        register("template")


def test_an_installed_package_brings_its_observer(monkeypatch):
    point = EntryPoint("coin", "yoked.models.observers.guesser:Guesser", registry.GROUP)
    monkeypatch.setattr(
        registry.importlib.metadata, "entry_points", lambda group: [point]
    )
    assert "coin" in names()
    assert isinstance(load("coin"), Guesser)


def test_without_torch_the_network_says_what_to_install():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from yoked.models.registry import load\n"
        "try: load('retina-cnn')\n"
        "except ModuleNotFoundError as error: print(error.name, error)"
    )
    wanted = 'torch retina-cnn needs PyTorch: pip install "yoked[models]"'
    assert run_python(code).stdout.strip() == wanted
