"""What a fit has come to so far, on disk: an interrupted one goes on from there."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ..whole_files import whole

Parts = dict[str, Tensor]


class Kept:
    """Parts of a fit, each computed once.

    A part is a function of the recording and of the model's settings, of which `of` is
    the hash: what is kept for others is refused.

    Parameters
    ----------
    path
        The file; None keeps nothing.
    of
        Hash of all that the parts are a function of.
    """

    def __init__(self, path: Path | None, of: str) -> None:
        self.path = path
        self._of = of
        self._parts: dict[str, Parts] = {}
        if path is not None and path.is_file():
            self._parts = self._read(path)

    def _read(self, path: Path) -> dict[str, Parts]:
        with path.open("rb") as file:
            try:
                found = torch.load(file, map_location="cpu", weights_only=True)
                of, parts = found["of"], found["parts"]
            except Exception as error:  # torch raises many kinds on damaged files
                rule = "what an interrupted fit left, got a damaged or other file"
                raise ValueError(f"{str(path)!r} must be {rule}") from error
        if of != self._of:
            rule = "of this recording and these settings"
            hint = "remove it to begin anew"
            got = f"one of another fit ({of[:8]})"
            raise ValueError(f"{str(path)!r} must be {rule}, got {got}; {hint}")
        return parts

    def get(self, name: str) -> Parts | None:
        """Give a part; None where it is not there."""
        return self._parts.get(name)

    def put(self, name: str, part: Parts) -> None:
        """Keep a part, in place of what had its name.

        Raises
        ------
        OSError
            If it cannot be written; what was kept before stays.
        """
        self._parts[name] = part
        if self.path is not None:
            with whole(self.path) as file:
                torch.save({"of": self._of, "parts": self._parts}, file)

    def part(self, name: str, make: Callable[[], Parts]) -> Parts:
        """Give a part, which is made where it is not there.

        Examples
        --------
        >>> kept = Kept(None, "")
        >>> kept.part("one", lambda: {"w": torch.ones(1)})["w"].item()
        1.0
        """
        found = self.get(name)
        if found is None:
            found = make()
            self.put(name, found)
        return found

    def remove(self) -> None:
        """Remove the file: the fit is done, and its weights are written."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
