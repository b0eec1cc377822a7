"""Whether a session's noise is that of its trials, asked of the session alone."""

from ..double_pass.smooth_thresholds import consistent_share
from ..kernels.doubt import doubt as doubt_of
from ..trials.estimate import CannotTell
from ..trials.held import Held
from ..trials.responses import SessionLike


def doubt(session: SessionLike) -> str | None:
    """Say it if there is no kernel though the double pass foretells one.

    Ask after an import: ids that are one off, another noise file or another seed leave
    numbers that look sound, and no kernel.

    Parameters
    ----------
    session
        A session of any task with noise.

    Returns
    -------
    str or None
        A sentence; None where there is a kernel, or none is foretold, or the data do
        not tell.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> template = yoked.load_observer("template")
    >>> session = yoked.run(protocol, template, seed=1, trials=400, contrast=0.2)
    >>> yoked.doubt(session) is None
    True
    """
    held = Held.of(session)
    try:
        return doubt_of(held.design, consistent_share(held.responses).r)
    except CannotTell:
        return None
