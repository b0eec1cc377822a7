"""Whether a person's session is complete or screened out, and by which rules."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from ..protocols.protocol import Protocol
from ..store.trial import TrialRecord


def screened_out(protocol: Protocol, records: Sequence[TrialRecord]) -> list[str]:
    """Give a sentence for each rule of the protocol's screening that is broken.

    Parameters
    ----------
    protocol
        With the rules.
    records
        All trials of a session, repeated ones included.

    Returns
    -------
    list
        Empty where the session can be believed.
    """
    return list(_broken(protocol, records))


def _broken(protocol: Protocol, records: Sequence[TrialRecord]) -> Iterator[str]:
    rules, n = protocol.screening, len(records)
    if n < rules.min_trials:
        return
    n_invalid = sum(not record.response.valid for record in records)
    if n_invalid > rules.most_invalid * n:
        rule = f"at most {rules.most_invalid:.0%} of the trials"
        yield f"invalid trials must be {rule}, got {n_invalid} of {n}"
    # What was not shown as it should be is nobody's miss.
    seen = [record for record in records if record.response.valid]
    given = [record for record in seen if record.response.response is not None]
    if len(given) < rules.response_rate * len(seen):
        rule = f"given in {rules.response_rate:.0%} of the trials"
        yield f"responses must be {rule}, got {len(given)} of {len(seen)}"
    if len(given) >= rules.min_trials:
        yield from _of_responses(protocol, given)
    catch = [record for record in seen if record.spec.block_kind == "catch"]
    correct = sum(record.correct is True for record in catch)
    if len(catch) >= rules.min_trials / 4 and correct < (
        rules.catch_correct * len(catch)
    ):
        rule = f"correct in {rules.catch_correct:.0%}"
        yield f"catch trials must be {rule}, got {correct} of {len(catch)}"


def _of_responses(protocol: Protocol, given: Sequence[TrialRecord]) -> Iterator[str]:
    rules = protocol.screening
    times = [r.response.rt_ms for r in given if r.response.rt_ms is not None]
    if times and median(times) < rules.median_rt_ms:
        rule = f"{rules.median_rt_ms:g} ms or more"
        yield f"the median response time must be {rule}, got {median(times):.0f}"
    ((_, most),) = Counter(r.response.response for r in given).most_common(1)
    if most > rules.same_key * len(given):
        rule = f"at most {rules.same_key:.0%} of the responses"
        yield f"one key must be {rule}, got {most} of {len(given)}"
