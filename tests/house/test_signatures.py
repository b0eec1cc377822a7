"""The suite's own check of signatures is on: functions, methods and dataclasses."""

import pytest
from jaxtyping import TypeCheckError

import yoked
from yoked.analysis.trials.estimate import Estimate


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: yoked.load_protocol(3),
        lambda: Estimate("1", None, None, None, 1, "x/1"),
        lambda: Estimate.missing("x/1", note=3),
        lambda: Estimate(1.0, None, None, None, 1, "x/1").with_note(3),
    ],
    ids=["function", "dataclass", "class method", "method"],
)
def test_what_does_not_fit_a_signature_is_refused(wrong):
    with pytest.raises(TypeCheckError):
        wrong()
