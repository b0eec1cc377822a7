"""Flicker: whether a protocol shows what may harm people with photosensitivity."""

from .parts import FULL_CONTRAST
from .protocol import Protocol

MOST_FLASHES = 3  # in a second, of WCAG 2.3.1
_LEAST_CHANGE = 0.1  # of relative luminance, in a flash


def flashes_per_second(protocol: Protocol) -> float:
    """Give how often a movie may flash within a second; 0 for still fields.

    A flash is a pair of opposing changes of relative luminance by 10 % or more [1]_;
    noise may change at every frame. Presentations of one trial within a second count
    together.

    References
    ----------
    .. [1] W3C, Web Content Accessibility Guidelines 2.2, success criterion 2.3.1.

    Examples
    --------
    >>> import yoked
    >>> flashes_per_second(yoked.load_protocol("movie-bar"))
    7.0
    >>> flashes_per_second(yoked.load_protocol("bar-in-noise"))
    0.0
    """
    n_frames = protocol.noise.grid[0]
    if n_frames == 1:
        return 0.0
    most = max(each.noise.max_level() for each in protocol.resolved)
    reach = most / FULL_CONTRAST  # each way, around mid-gray
    if reach < _LEAST_CHANGE:  # (1 + reach) / 2 - (1 - reach) / 2
        return 0.0
    timing = protocol.timing
    movie_ms = timing.shown_ms(n_frames)
    shown_ms = cycle_ms = 0.0
    for _ in range(protocol.n_onsets):
        shown_ms += min(movie_ms, 1000 - cycle_ms)
        cycle_ms += movie_ms + timing.gap_ms
        if cycle_ms >= 1000:
            break
    return shown_ms / timing.frame_ms // 2


def flicker_to_warn_of(protocol: Protocol) -> tuple[float, float] | None:
    """Give pictures and flashes a second; None where nobody need be warned.

    Examples
    --------
    >>> import yoked
    >>> pictures, flashes = flicker_to_warn_of(yoked.load_protocol("movie-bar"))
    >>> round(pictures), flashes
    (30, 7.0)
    """
    flashes = flashes_per_second(protocol)
    if flashes <= MOST_FLASHES:
        return None
    return 1000 / protocol.timing.frame_ms, flashes


def flicker_warning(protocol: Protocol) -> str:
    """Give a warning for people with photosensitivity; "" where none is needed."""
    found = flicker_to_warn_of(protocol)
    if found is None:
        return ""
    rate, flashes = found
    return (
        f"This task shows flickering patterns: {rate:.0f} pictures a second, up to "
        f"{flashes:.0f} flashes within a second. Do not take part if you have "
        "photosensitive epilepsy, or if flickering light has ever made you unwell."
    )
