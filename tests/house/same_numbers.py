"""The same numbers before and after a change that should change none.

    python -m tests.house.same_numbers databases FOLDER      make the databases
    python -m tests.house.same_numbers run FOLDER OUT        write every command's JSON
    python -m tests.house.same_numbers compare OUT OTHER     list what differs

`databases` lets the template take part in every shipped protocol, twice, and imports
the published observers from the public data. `run` is for either tree, from a folder
outside of both (PYTHONPATH names the tree). `compare` prints every key that is there
on one side only, and every value that differs.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests import ROOT

# What the house with rooms renamed, by the CHANGELOG: of keys, and of words in texts.
KEYS = {
    "order_1.kernel.": "order_1.weighted_sum.",
    "same_choice": "same_response",
}
WORDS = {"answer": "response", "choice": "response"}
PROTOCOLS = ("bar-in-noise", "bar-polarity", "gabor-in-noise", "movie-bar")
DATA = ROOT.parent / "shared" / "data"


def yoked(*words: object) -> str:
    """Run a command and return what it printed."""
    command = [sys.executable, "-W", "ignore", "-m", "yoked", *map(str, words)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.stdout or json.dumps({"error": run.stderr.strip().splitlines()[-1:]})


def sessions(db: Path) -> list[dict]:
    """Return the rows of the sessions of a database."""
    return json.loads(yoked("sessions", db, "--json"))


def make_databases(folder: Path) -> None:
    """Make one database for every protocol, one for each published observer."""
    folder.mkdir(parents=True, exist_ok=True)
    once = ("--seed", 1, "--internal-noise", 1)
    for protocol in PROTOCOLS:
        db = folder / f"{protocol}.db"
        yoked("simulate", protocol, "template", db, *once)
        first = sessions(db)[0]["session"]
        again = ("--seed", 2, "--internal-noise", 0.5)
        yoked("simulate", "template", db, "--yoke-to", first, *again)
    yoked("import", "gabor", DATA / "gabor" / "Gabor.rda", folder / "gabor.db")
    human = DATA / "murray2015" / "experiment1_subject01.txt"
    yoked("import", "murray2015", human, folder / "murray.db")
    demo = folder / "demo.db"
    yoked("import", "murray2015", human, demo)
    person = sessions(demo)[0]["session"]
    yoked("simulate", "template", demo, "--yoke-to", person, *once)
    yoked("simulate", "guesser", demo, "--yoke-to", person, "--seed", 1)


def run(folder: Path, out: Path) -> None:
    """Write what every command with JSON says of every database."""
    out.mkdir(parents=True, exist_ok=True)
    for db in sorted(folder.glob("*.db")):
        found = sessions(db)
        orders = 1 if db.stem == "demo" else 2
        jobs = {
            "analyse": ("analyse", db, "--json", "--orders", orders),
            "boot": ("analyse", db, "--json", "--orders", 0, "--bootstrap", "trial"),
            "export": ("export", db),
        }
        pairs = [(row["yoked_to"], row["session"]) for row in found if row["yoked_to"]]
        for number, pair in enumerate(pairs):
            jobs[f"compare{number}"] = ("compare", db, *pair, "--json")
        if len({row["observer"] for row in found}) > 1:
            jobs["group"] = ("group", db, "--json")
        for name, words in jobs.items():
            (out / f"{db.stem}.{name}.json").write_text(yoked(*words))


def leaves(value: object, path: str = "") -> dict[str, object]:
    """Return every number and text of some JSON by its path, lists by number."""
    if isinstance(value, dict):
        parts = ((f"{path}.{key}", each) for key, each in value.items())
    elif isinstance(value, list):
        parts = ((f"{path}[{i}]", each) for i, each in enumerate(value))
    else:
        return {path: value}
    found: dict[str, object] = {}
    for name, each in parts:
        found |= leaves(each, name)
    return found


def read(file: Path) -> dict[str, object]:
    """Return the leaves of a file: of JSON, or of a table line by line."""
    text = file.read_text()
    try:
        return leaves(json.loads(text))
    except json.JSONDecodeError:
        return leaves(text.splitlines())


def renamed(leaves: dict[str, object]) -> dict[str, object]:
    """Return leaves under the names of today, texts in one set of words."""
    found = {}
    for key, value in leaves.items():
        for was, now in KEYS.items():
            key = key.replace(was, now)
        if isinstance(value, str):
            for was, now in WORDS.items():
                value = value.replace(was, now)
        found[key] = value
    return found


def compare(before: Path, after: Path) -> int:
    """Print what differs, numbers of a list once; return how many values do."""
    n_different = 0
    for file in sorted(before.glob("*.json")):
        old, new = (renamed(read(folder / file.name)) for folder in (before, after))
        different = [key for key in old.keys() & new.keys() if old[key] != new[key]]
        n_different += len(different)
        print(f"{file.name}: {len(old.keys() & new.keys())} values in common")
        for word, keys in (
            ("gone", old.keys() - new.keys()),
            ("new", new.keys() - old.keys()),
            ("DIFFERENT", different),
        ):
            names = sorted({"[".join(k.split("[")[:2]) for k in keys})
            for name in names:
                n = sum(key.startswith(name) for key in keys)
                print(f"  {word:9} {name} ({n} values)")
        for key in different[:5]:
            print(f"            {key}: {old[key]!r} -> {new[key]!r}")
    return n_different


if __name__ == "__main__":
    action, *folders = sys.argv[1:]
    paths = [Path(folder) for folder in folders]
    if action == "compare":
        sys.exit(min(compare(*paths), 1))
    {"databases": make_databases, "run": run}[action](*paths)
