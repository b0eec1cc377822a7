"""The plugin as an npm package: packed, installed elsewhere, run in plain jsPsych."""

import functools
import hashlib
import http.server
import json
import re
import shutil
import subprocess
import threading

import pytest

from tests import ROOT
from yoked.app.web.page import page_protocol, write_page
from yoked.app.web.page_sessions import import_page
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.session.results import load_session

from .walking import FAST, READER, seen_on

PACKAGE = ROOT / "static" / "plugin-noise-trial"
HTML = re.compile(r"```html\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return an empty project with the packed plugin and jsPsych, without a network."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here: install Node.js to pack the plugin")
    folder = tmp_path_factory.mktemp("project")

    def run(*arguments, cwd=folder):
        options = ["--offline", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(
            [npm, *arguments, *options],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    (packed,) = json.loads(run("pack", PACKAGE, "--json"))
    jspsych = f"file:{(ROOT / 'node_modules' / 'jspsych').resolve()}"
    about = {"private": True, "dependencies": {"jspsych": jspsych}}
    (folder / "package.json").write_text(json.dumps(about))
    run("install", f"./{packed['filename']}")
    return folder


@pytest.fixture
def host():
    """Return a function that serves a folder and gives its address."""
    servers = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    def start(folder):
        handler = functools.partial(Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_package_asks_for_the_jspsych_that_we_use(project):
    installed = project / "node_modules" / "@yoked" / "plugin-noise-trial"
    about = json.loads((installed / "package.json").read_text())
    ours = json.loads((ROOT / "package.json").read_text())["dependencies"]["jspsych"]
    assert about["peerDependencies"] == {"jspsych": f"^{ours}"}
    assert (installed / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert f'version: "{about["version"]}"' in (installed / "index.js").read_text()


def test_the_page_of_the_readme_runs_in_plain_jspsych(page, project, host):
    (html,) = HTML.findall((PACKAGE / "README.md").read_text())
    (project / "index.html").write_text(html)
    for address in re.findall(r'(?:src|href|: )="?\.?/?(node_modules/[^"]+)"', html):
        assert (project / address).is_file()
    page.add_init_script(
        f"{READER}\n"
        "document.addEventListener('yoked:interval', ({ detail }) =>"
        " detail.interval === 1 && requestAnimationFrame(() =>"
        " dispatchEvent(new KeyboardEvent('keydown', { key: 'j', code: 'KeyJ' }))));"
    )
    page.goto(f"{host(project)}/index.html")
    page.locator(".jspsych-noise-trial-patch").wait_for()
    box = page.locator(".jspsych-noise-trial-patch").bounding_box()
    assert (box["width"], box["height"]) == (128, 128)
    page.wait_for_function("yokedTest.seen.length === 2")
    page.locator(".jspsych-noise-trial-patch").wait_for(state="detached")
    names = page.evaluate(
        "[...document.adoptedStyleSheets].flatMap((sheet) => [...sheet.cssRules])"
        ".map((rule) => rule.selectorText)"
    )
    assert names
    assert all(name.startswith(":where(.jspsych-noise-trial-") for name in names)


def test_a_page_without_our_server_has_our_pixels_and_its_session_comes_in(
    page, host, tmp_path
):
    bars = load_protocol("bar-in-noise").with_options(contrast=0.227, timing=FAST)
    protocol = page_protocol(bars.with_options(trials=12))
    write_page(protocol, tmp_path / "bars", lut="identity")
    # It answers 'f', as soon as it may.
    page.add_init_script(
        f"{READER}\n"
        "document.addEventListener('yoked:interval', ({ detail }) =>"
        " detail.interval === 1 && requestAnimationFrame(() =>"
        " dispatchEvent(new KeyboardEvent('keydown', { key: 'f', code: 'KeyF' }))));"
    )
    page.goto(f"{host(tmp_path / 'bars')}/index.html?observer=p07")
    with page.expect_download(timeout=60_000) as saving:
        page.get_by_role("button", name="Continue").click()
    path = tmp_path / "p07.json"
    saving.value.save_as(path)
    data = [row for row in json.loads(path.read_text()) if "digest" in row]
    db = tmp_path / "results.db"
    (read,) = import_page(tmp_path / "bars", [path], db)
    assert (read.observer, read.n_trials, read.n_compared) == ("p07", 14, 14)
    trials = load_session(db, read.session).trials
    assert trials["response"].tolist() == [0] * 14
    assert [row["correct"] for row in data] == trials["correct"].astype(bool).tolist()
    # What the canvas held is what the digest says: levels, through the identity.
    seen = seen_on(page)
    pairs = zip(seen[::2], seen[1::2], strict=True)
    drawn = [bytes(one["levels"] + two["levels"]) for one, two in pairs]
    assert [hashlib.sha256(each).hexdigest() for each in drawn] == [
        row["digest"] for row in data
    ]
