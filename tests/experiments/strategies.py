"""Hypothesis strategies: any protocol that the rules allow."""

from hypothesis import strategies as st

from yoked.experiments.protocols.parts import (
    Block,
    Catch,
    Contrast,
    Display,
    Noise,
    Signal,
    Task,
    Timing,
)
from yoked.experiments.protocols.protocol import Protocol

seeds = st.integers(0, 2**63 - 2**32 - 1)


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    """Draw a valid protocol with a small grid: bars, gabors, gaussians, movies."""
    kind = draw(st.sampled_from(["2afc", "mafc", "yes_no", "rating"]))
    n_keys = {"2afc": 2, "yes_no": 2, "mafc": 3, "rating": 4}[kind]
    grid = draw(st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 17)))
    noise = Noise(
        draw(st.sampled_from(["gaussian", "binary"])), draw(st.floats(0.03, 0.2)), grid
    )
    # Up to the last level that fits beside the noise: there a wrapped sum would show.
    headroom = (127 - noise.max_level()) / 127
    highest = draw(st.sampled_from([headroom, min(headroom, 0.3)]))
    return Protocol(
        name="any",
        title="Any protocol",
        task=Task(kind, tuple("asdf"[:n_keys])),
        display=Display(0.2, draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))),
        noise=noise,
        signal=_signal(draw, grid),
        contrast=Contrast((highest, highest * draw(st.floats(0, 0.9)))),
        blocks=(Block("main", 20),),
        timing=Timing(frame_ms=30),
        catch=Catch(2, contrast=0.3),
    )


def _signal(draw: st.DrawFn, grid: tuple[int, int, int]) -> Signal:
    kind = draw(st.sampled_from(["bar", "gabor", "gaussian"]))
    first = [draw(st.integers(0, size - 1)) for size in grid]
    last = [draw(st.integers(f, s - 1)) for f, s in zip(first, grid, strict=True)]
    ranges = list(zip(first, last, strict=True))
    gains = draw(st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (0.0, -0.5)]))
    if kind == "bar":
        return Signal(kind, gains, *ranges)
    angle = draw(st.floats(0, 180))
    return Signal(kind, gains, ranges[0], sigma=2.1, cycles=1.7, orientation_deg=angle)
