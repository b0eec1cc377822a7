"""Debian's Firefox, driven by WebDriver BiDi: Playwright drives no Firefox but its own.

https://w3c.github.io/webdriver-bidi: JSON over one WebSocket, a reply for each command.
"""

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("firefox-esr", "firefox")
ENTER = "\ue006"
PATIENCE_S = 60.0  # this machine may be busy
# Nothing is fetched from Mozilla, and nothing is shown but our page.
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
}
LISTENING = "WebDriver BiDi listening on "
# Where a button is, once it can be pressed and stands still: examples may still come.
MIDDLE = """async (words) => {
  const named = () => [...document.querySelectorAll("button")].find(
    (each) => each.textContent.trim() === words && !each.disabled);
  named()?.scrollIntoView({ block: "center" });
  const places = new Set();
  for (let i = 0; i < 10; i += 1) {
    const { x, y, width, height } = named()?.getBoundingClientRect() ?? { width: 0 };
    const middle = [x + width / 2, y + height / 2].map(Math.round);
    places.add(width ? JSON.stringify(middle) : "");
    await new Promise(requestAnimationFrame);
  }
  const [place] = places;
  return places.size === 1 && place ? JSON.parse(place) : null;
}"""


class BidiError(RuntimeError):
    """What Firefox refused, as when a page was left before a script in it ended."""


class FirefoxPage:
    """A tab of a Firefox, with the few steps that a participant takes."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._n_sent = socket, 0
        self.about = self._ask("session.new", capabilities={})["capabilities"]
        self._tab, self._scripts = "", list[str]()

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command; give its result, and leave events unread."""
        self._n_sent += 1
        command = {"id": self._n_sent, "method": method, "params": params}
        self._socket.send(json.dumps(command))
        while True:
            reply = json.loads(self._socket.recv(PATIENCE_S))
            if reply.get("id") != self._n_sent:
                continue
            if reply["type"] == "error":
                raise BidiError(f"{reply['error']}: {reply['message']}")
            return reply["result"]

    @contextlib.contextmanager
    def fresh(self) -> Iterator[None]:
        """Work in a new tab, and forget its scripts at the end."""
        self._tab = self._ask("browsingContext.create", type="tab")["context"]
        try:
            yield
        finally:
            for script in self._scripts:
                self._ask("script.removePreloadScript", script=script)
            self._scripts.clear()
            self._ask("browsingContext.close", context=self._tab)

    def add_init_script(self, script: str) -> None:
        """Run a script in every page before the page's own."""
        function = f"() => {{ {script} }}"
        made = self._ask("script.addPreloadScript", functionDeclaration=function)
        self._scripts.append(made["script"])

    def goto(self, address: str) -> None:
        self._ask(
            "browsingContext.navigate",
            context=self._tab,
            url=address,
            wait="complete",
        )

    def evaluate(self, function: str, *arguments: Any) -> Any:
        """Call a function of the page; both ways as JSON."""
        called = f"await ({function})(...JSON.parse(told))"
        told = f"async (told) => JSON.stringify({called} ?? null)"
        reply = self._ask(
            "script.callFunction",
            functionDeclaration=told,
            arguments=[{"type": "string", "value": json.dumps(arguments)}],
            target={"context": self._tab},
            awaitPromise=True,
        )
        if reply["type"] == "exception":
            raise BidiError(reply["exceptionDetails"]["text"])
        return json.loads(reply["result"]["value"])

    def until(self, function: str, *arguments: Any) -> Any:
        """Ask the page again, over its loads, until it gives anything but null."""
        patient = f"""async (...all) => {{
          const found = await ({function})(...all);
          if (found === null) await new Promise((resolve) => setTimeout(resolve, 20));
          return found;
        }}"""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with contextlib.suppress(BidiError):
                found = self.evaluate(patient, *arguments)
                if found is not None:
                    return found
        text = self.evaluate("() => document.body.innerText")
        raise TimeoutError(f"{arguments or function} must come, got a page of {text!r}")

    def click(self, words: str) -> None:
        """Press the button of these words with a pointer, as a hand does."""
        x, y = self.until(MIDDLE, words)
        steps = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._act({"type": "pointer", "id": "mouse", "actions": steps})

    def press(self, key: str) -> None:
        steps = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": steps})

    def _act(self, source: dict[str, Any]) -> None:
        self._ask("input.performActions", context=self._tab, actions=[source])


def find_firefox() -> str | None:
    named = os.environ.get("FIREFOX")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def firefox(executable: str, profile: Path) -> Iterator[FirefoxPage]:
    """Start a Firefox without a screen in a profile of its own."""
    lines = [
        f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()
    ]
    profile.mkdir()
    (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
    command = [executable, "--headless", "--no-remote", "--profile", str(profile)]
    command += ["--remote-debugging-port", "0", "about:blank"]
    said = profile / "said.txt"  # a file, since nobody reads on once it listens
    with said.open("wb") as to:
        process = subprocess.Popen(command, stdout=to, stderr=to)
    try:
        address = _listening(process, said)
        with connect(f"{address}/session", max_size=None, proxy=None) as socket:
            yield FirefoxPage(socket)
    finally:
        process.kill()
        process.wait()


def _listening(process: subprocess.Popen, said: Path) -> str:
    """Give the address that Firefox says it listens at."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        for line in said.read_text("utf-8", "replace").splitlines(keepends=True):
            if line.startswith(LISTENING) and line.endswith("\n"):
                return line.removeprefix(LISTENING).strip()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise TimeoutError(f"Firefox did not start: {said.read_text('utf-8', 'replace')}")
