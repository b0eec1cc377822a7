"""What every test shares: where things are."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
VECTORS_FOLDER = ROOT / "tests" / "vectors"
