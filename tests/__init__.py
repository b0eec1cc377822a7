"""What every test shares: where things are, and the run-time checker of signatures."""

from pathlib import Path

from beartype import BeartypeConf, beartype

ROOT = Path(__file__).parents[1]
VECTORS_FOLDER = ROOT / "tests" / "vectors"

# An int is a float, as PEP 484 says.
check = beartype(conf=BeartypeConf(is_pep484_tower=True))
