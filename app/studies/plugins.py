"""Plugins of jsPsych that a lab has put on its server: found, checked, pinned.

A plugin is an npm package in the folder that `YOKED_PLUGINS` names, as `npm install`
puts it there. Only its browser build is served, and only as it was when its study was
added.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OWN_FOLDER = "YOKED_PLUGINS"  # names the folder, such as /srv/yoked/node_modules
BUILDS = ("dist/index.browser.min.js", "dist/index.browser.js")
PACKAGE = re.compile(r"(?:@[a-z0-9][a-z0-9-]{0,50}/)?[a-z0-9][a-z0-9-]{0,80}")
_GLOBAL = re.compile(r"\b(?:var|let|const)\s+(jsPsych\w+)\s*=")
_MOST_BYTES = 2_000_000
# What the pages' policy forbids, and how it is written.
_BREACHES: Mapping[str, str] = {
    "style attributes": r"""style\s*=\s*\\?["'`]|setAttribute\(["']style["']""",
    "a style sheet of its own": r"""<style|createElement\(["']style["']""",
    "code that is made at run time": r"\beval\(|new Function\(",
    "a script of its own": r"""<script|createElement\(["']script["']""",
}


class PluginError(ValueError):
    """A plugin is not there, is none, or would break the policy of our pages."""


@dataclass(frozen=True)
class Plugin:
    """A plugin, checked.

    Attributes
    ----------
    package, version
        Its name and version for npm.
    name
        What its browser build calls it.
    script
        The build, without the address of its source map.
    sha256
        Of the build.
    """

    package: str
    version: str
    name: str
    script: str
    sha256: str


def find_plugin(package: str, folder: str | Path | None = None) -> Plugin:
    """Find a plugin in the folder of the lab, and check it.

    Parameters
    ----------
    package
        Its name, such as '@jspsych/plugin-html-button-response'.
    folder
        Where packages are; by default what `YOKED_PLUGINS` names.

    Raises
    ------
    PluginError
        If it is not there, is no plugin, or would break the policy of our pages; one
        sentence. What a build hides from a look at its text, a pilot run shows.
    """
    if not PACKAGE.fullmatch(package):
        raise PluginError(f"a plugin must be a package's name, got {package!r}")
    where = folder or os.environ.get(OWN_FOLDER)
    if not where:
        rule = f"in a folder that {OWN_FOLDER} names"
        raise PluginError(f"the plugin {package} must be {rule}, got no such name")
    place = Path(where, package)
    build = next((place / each for each in BUILDS if (place / each).is_file()), None)
    if build is None:
        rule = f"there with {BUILDS[0]}: npm install --prefix FOLDER {package}"
        raise PluginError(f"the plugin {package} must be {rule}, got nothing")
    about = _about(place, package)
    content = build.read_bytes()
    if len(content) > _MOST_BYTES:
        rule = f"at most {_MOST_BYTES} bytes"
        raise PluginError(f"the plugin {package} must be {rule}, got {len(content)}")
    script = content.decode("utf-8", "replace")
    script = re.sub(r"\n//# sourceMappingURL=.*\s*$", "\n", script)
    _require_policy(package, script)
    named = _GLOBAL.search(script)
    name = "" if named is None else named[1]
    if name in ("", "jsPsychModule") or not re.search(r"\binfo\b", script):
        rule = "a plugin of jsPsych 7 or 8, whose build is named jsPsych..."
        raise PluginError(f"the package {package} must be {rule}, got none")
    digest = hashlib.sha256(content).hexdigest()
    return Plugin(package, str(about.get("version", "")), name, script, digest)


def pinned_plugin(package: str, sha256: str) -> Plugin:
    """Find a plugin as it was when its study was added.

    Raises
    ------
    PluginError
        If it is not there any more, or another.
    """
    found = find_plugin(package)
    if found.sha256 != sha256:
        rule = "as it was when the study was added"
        raise PluginError(f"the plugin {package} must be {rule}, got {found.version}")
    return found


def _about(place: Path, package: str) -> dict:
    try:
        about = json.loads((place / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        about = None
    if not isinstance(about, dict) or about.get("name") != package:
        rule = "a package with a package.json of that name"
        raise PluginError(f"the plugin {package} must be {rule}, got none")
    return about


def _require_policy(package: str, script: str) -> None:
    for what, pattern in _BREACHES.items():
        if re.search(pattern, script):
            rule = "without what the policy of our pages forbids"
            raise PluginError(f"the plugin {package} must be {rule}, got {what}")
