"""Which sessions of people can be believed: what a protocol asks of them."""

from dataclasses import dataclass, fields

from .checks import Faults


@dataclass(frozen=True)
class Screening:
    """What a session must keep to be complete; else it is screened out, and says why.

    The defaults let pass whoever looks and responds, however badly they see. Each rule
    is off at the end of its range that every session keeps.

    Attributes
    ----------
    catch_correct
        Least share of the catch trials that is correct. At 50 % a guesser is right;
        people are in nearly all.
    response_rate
        Least share of the trials with a response.
    median_rt_ms
        Least median response time.
    most_invalid
        Largest share of trials that were not shown as they should be, or came back
        otherwise than they were sent.
    same_key
        Largest share of the responses that are one and the same key.
    min_trials
        Trials that a rule needs, so that a few do not decide; a quarter as many catch
        trials.

    Notes
    -----
    Shares are of practice, calibration, main and catch trials together, but the catch
    trials' own. Of a guesser's 12 catch trials 9 or more are right in 7 % of sessions.
    """

    catch_correct: float = 0.7
    response_rate: float = 0.8
    median_rt_ms: float = 150.0
    most_invalid: float = 0.5
    same_key: float = 0.95
    min_trials: int = 16

    def __post_init__(self) -> None:
        faults = Faults()
        for part in fields(self):
            value = getattr(self, part.name)
            if part.name == "median_rt_ms":
                faults.unless(0 <= value <= 60_000, part.name, "in [0, 60000]", value)
            elif part.name == "min_trials":
                faults.unless(value >= 1, part.name, "1 or more", value)
            else:
                faults.unless(0 <= value <= 1, part.name, "in [0, 1]", value)
        faults.raise_any()
