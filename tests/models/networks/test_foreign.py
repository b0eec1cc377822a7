"""Other people's weights: files, addresses, hashes, and networks they do not fit."""

import functools
import hashlib
import subprocess
import sys
import threading
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from yoked.models.networks.foreign import load_into, read_weights
from yoked.models.networks.named import make


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Give each test a cache of its own, and return it."""
    monkeypatch.setenv("YOKED_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing; counts how often it was asked."""

    asked = 0

    def do_GET(self):
        type(self).asked += 1
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """Return the address of a real server of the folder `served`."""
    folder = tmp_path / "served"
    folder.mkdir()
    Quiet.asked = 0
    handler = functools.partial(Quiet, directory=str(folder))
    with HTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture
def state():
    """Return the weights of a small network."""
    return nn.Conv2d(1, 2, 3).state_dict()


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def equal(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_state_dictionary_and_safetensors_are_read_from_a_file(tmp_path, state):
    torch.save(state, tmp_path / "a.pt")
    save_file(state, tmp_path / "a.safetensors")
    for name in ("a.pt", "a.safetensors"):
        path = tmp_path / name
        equal(read_weights(path), state)
        equal(read_weights(str(path), sha256(path).upper()), state)


def test_what_others_wrap_around_weights_is_taken_off(tmp_path, state):
    wrapped = {f"module.{name}": value for name, value in state.items()}
    torch.save({"epoch": 43, "state_dict": wrapped}, tmp_path / "a.pth")
    equal(read_weights(tmp_path / "a.pth"), state)


def test_weights_are_fetched_once(tmp_path, server, state, cache):
    file = tmp_path / "served" / "my weights.safetensors"
    save_file(state, file)
    url = f"{server}/my%20weights.safetensors?download=1"
    equal(read_weights(url, sha256(file)), state)
    assert Quiet.asked == 1
    equal(read_weights(url, sha256(file)), state)
    assert Quiet.asked == 1
    (kept,) = (cache / "fetched").iterdir()
    assert kept.name.endswith("-my weights.safetensors")
    kept.write_bytes(b"damaged")
    equal(read_weights(url, sha256(file)), state)
    assert Quiet.asked == 2
    equal(read_weights(file.as_uri(), sha256(file)), state)


def test_a_file_that_is_not_the_one_is_refused_and_not_kept(
    tmp_path, server, state, cache
):
    torch.save(state, tmp_path / "served" / "a.pt")
    torch.save(state, tmp_path / "a.pt")
    other = "0" * 64
    with pytest.raises(ValueError, match=f"/a.pt must have SHA-256 {other}, got "):
        read_weights(f"{server}/a.pt", other)
    assert not list((cache / "fetched").iterdir())
    with pytest.raises(ValueError, match=f"a.pt' must have SHA-256 {other}, got "):
        read_weights(tmp_path / "a.pt", other)


def test_an_address_needs_a_hash_and_an_answer(server, cache):
    with pytest.raises(ValueError, match=r"/a\.pt must come with their SHA-256"):
        read_weights(f"{server}/a.pt")
    with pytest.raises(ValueError, match="sha256 must be 64 hexadecimal digits, got"):
        read_weights(f"{server}/a.pt", "abc")
    with pytest.raises(OSError, match=r"/a\.pt could not be fetched: File not found"):
        read_weights(f"{server}/a.pt", "0" * 64)
    with pytest.raises(OSError, match=r"could not be fetched: .*refused"):
        read_weights("http://127.0.0.1:1/a.pt", "0" * 64)
    assert not list((cache / "fetched").iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="ulimit is of Unix")
def test_a_full_disk_is_said_and_nothing_is_left(tmp_path, cache):
    file = tmp_path / "large.pt"
    torch.save({"w": torch.zeros(100_000)}, file)
    code = (
        "from yoked.models.networks.foreign import read_weights\n"
        f"read_weights({file.as_uri()!r}, {sha256(file)!r})"
    )
    # A limit on the size of files stands for a disk that fills up while we write.
    shell = (
        f"ulimit -f 100; exec {sys.executable} -c '{code.replace(chr(39), chr(34))}'"
    )
    run = subprocess.run(["bash", "-c", shell], capture_output=True, encoding="utf-8")
    assert "OSError: [Errno 27] File too large" in run.stderr
    assert not list((cache / "fetched").iterdir())


def test_files_that_hold_no_weights_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"weights must be a file, got '.*none"):
        read_weights(tmp_path / "none.pt")
    (tmp_path / "text.pt").write_text("no weights")
    (tmp_path / "text.safetensors").write_text("no weights")
    for name in ("text.pt", "text.safetensors"):
        with pytest.raises(ValueError, match="got a damaged or other file"):
            read_weights(tmp_path / name)
    torch.save(nn.Linear(2, 1), tmp_path / "module.pt")  # pickled code is not run
    with pytest.raises(ValueError, match=r"that torch\.save wrote, tensors alone"):
        read_weights(tmp_path / "module.pt")
    torch.save({"a": 1}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="a state dictionary, names and tensors alone"):
        read_weights(tmp_path / "other.pt")
    torch.save([torch.ones(2)], tmp_path / "list.pt")
    with pytest.raises(ValueError, match="names and tensors alone, got list"):
        read_weights(tmp_path / "list.pt")


def test_safetensors_that_are_not_installed_are_asked_for(tmp_path, monkeypatch):
    file = tmp_path / "a.safetensors"
    file.write_bytes(b"")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "yoked\[models\]"'):
        read_weights(file)


def network(name):
    return make(name, in_channels=1, n_classes=2)


def test_weights_of_another_architecture_are_refused_in_one_sentence():
    target = network("cornet-z")
    before = {name: value.clone() for name, value in target.state_dict().items()}
    rule = r"of this CORnetZ, got 'v1\.0\.weight' of shape \(.*\) and 168 more like it"
    with pytest.raises(ValueError, match=rule):
        load_into(target, network("cornet-s").state_dict())
    state = dict(network("cornet-z").state_dict())
    state["v4.0.weight"] = state["v4.0.weight"][:, :16]
    rule = r"got 'v4.0.weight' of shape \(48, 16, 3, 3\) instead of \(48, 32, 3, 3\)$"
    with pytest.raises(ValueError, match=rule):
        load_into(target, state)
    state = {**network("cornet-z").state_dict(), "v3.0.weight": torch.ones(1)}
    with pytest.raises(ValueError, match=r"got 'v3.0.weight', which it does not have,"):
        load_into(target, state)
    state = dict(network("cornet-z").state_dict())
    state["v1.0.bias"] = state["v1.0.bias"] * torch.nan
    with pytest.raises(ValueError, match=r"finite, got NaN or more in 'v1\.0\.bias'"):
        load_into(target, state)
    equal(target.state_dict(), before)


def test_weights_of_the_same_architecture_make_the_same_network(tmp_path):
    source = make("resnet-18", in_channels=1, n_classes=2, seed=2)
    target = make("resnet-18", in_channels=1, n_classes=2, seed=3)
    x = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert not torch.equal(source(x), target(x))
        file = Path(tmp_path / "a.pt")
        torch.save(source.state_dict(), file)
        assert torch.equal(load_into(target, read_weights(file))(x), source(x))


def test_alexnet_and_resnet_have_the_names_of_torchvision():
    for name, layers in {
        "alexnet": ("features.0.weight", "features.10.bias", "classifier.6.weight"),
        "resnet-18": ("conv1.weight", "layer2.0.downsample.1.running_mean", "fc.bias"),
    }.items():
        state = network(name).state_dict()
        assert set(layers) < state.keys()
        assert len(state) == {"alexnet": 16, "resnet-18": 122}[name]


def test_old_files_without_counts_of_batches_load():
    source = make("resnet-18", in_channels=1, n_classes=2)
    old = {k: v for k, v in source.state_dict().items() if "num_batches" not in k}
    load_into(make("resnet-18", in_channels=1, n_classes=2, seed=3), old)
