"""Numbers and sentences as a page shows them: minus signs, infinities and powers."""

import math
import re
from typing import TYPE_CHECKING

from ...analysis.trials.chance import CountedP
from ...analysis.trials.estimate import Estimate

if TYPE_CHECKING:
    from markupsafe import Markup

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def interval(estimate: Estimate | None, decimals: int = 2) -> "Markup":
    """Give an estimate as its value above its interval, or a dash without one.

    Examples
    --------
    >>> print(interval(Estimate(1.5, 0.1, 1.3, math.inf, 100, "any/1")))
    1.50<br><span class="interval">[1.30, ∞]</span>
    """
    from markupsafe import Markup

    if estimate is None or estimate.value is None:
        return Markup("–")
    value = Markup(_number(estimate.value, decimals))
    if estimate.low is None or estimate.high is None:
        return value
    ends = [_number(end, decimals) for end in (estimate.low, estimate.high)]
    return value + Markup('<br><span class="interval">[{}, {}]</span>').format(*ends)


def inline(estimate: Estimate, decimals: int = 2) -> str:
    """Give an estimate with its interval within a sentence.

    Examples
    --------
    >>> inline(Estimate(-0.5, 0.1, -0.7, -0.3, 100, "any/1"))
    '−0.50 [−0.70, −0.30]'
    >>> inline(Estimate.missing("any/1", "no trial was shown twice"))
    'unknown'
    """
    if estimate.value is None:
        return "unknown"
    value = _number(estimate.value, decimals)
    if estimate.low is None or estimate.high is None:
        return value
    ends = [_number(end, decimals) for end in (estimate.low, estimate.high)]
    return f"{value} [{ends[0]}, {ends[1]}]"


def p_value(p: float | None) -> str:
    r"""Give a p value with three decimals, never as 0; a floor is said to be one.

    Examples
    --------
    >>> p_value(0.0312), p_value(0.0002), p_value(None)
    ('.031', '<\xa0.001', '–')
    >>> from yoked.analysis.trials.chance import counted_p
    >>> p_value(counted_p(0, 200)), p_value(counted_p(4, 200))
    ('.005, the floor of 200 permutations', '.025')
    """
    if p is None:
        return "–"
    text = "<\xa0.001" if p < 0.0005 else f"{p:.3f}".removeprefix("0")
    return (
        f"{text}, {p.floor_words}" if isinstance(p, CountedP) and p.is_floor else text
    )


def significant(value: float, keeps_zeros: bool = False) -> str:
    """Give three significant digits, with a power of ten where a number is tiny.

    Parameters
    ----------
    keeps_zeros
        Whether zeros stand at the end: in a column, where all have the same digits.

    Examples
    --------
    >>> significant(0.0261), significant(3.3e-05), significant(12500)
    ('0.0261', '3.3 × 10⁻⁵', '12,500')
    >>> significant(0.1, True), significant(3.3e-05, True), significant(118, True)
    ('0.100', '3.30 × 10⁻⁵', '118')
    """
    if value and not 1e-3 <= abs(value) < 1e6:
        mantissa, _, power = f"{value:.2e}".partition("e")
        return prose(f"{mantissa if keeps_zeros else f'{float(mantissa):g}'}e{power}")
    if keeps_zeros:
        return prose(f"{float(f'{value:.3g}'):#,.3g}".removesuffix("."))
    return prose(f"{float(f'{value:.3g}'):,g}")


def prose(text: str) -> str:
    """Give a sentence with minus signs, powers of ten, and square degrees as one reads.

    Examples
    --------
    >>> prose("a kurtosis of -0.01 (p = 1.4e-06), in 0.002 deg^2")
    'a kurtosis of −0.01 (p = 1.4 × 10⁻⁶), in 0.002 deg²'
    >>> prose("trials x elements^2"), prose("no bend (p = 0.65)")
    ('trials × elements²', 'no bend (p .65)')
    >>> prose("-0.00 to -.5, of 2026-01-10-kq7m4x2p")
    '0.00 to −.5, of 2026-01-10-kq7m4x2p'
    """
    text = re.sub(r"(\d)e([+-]\d+)", _power, text)
    text = re.sub(r"(?<![\w.)\]-])-(?=\.?\d)", "−", text)
    text = re.sub(r"−(0\.0+)(?!\d)", r"\1", text)  # what is rounded to 0 has no sign
    text = re.sub(r"(?<=\w)\^2\b", "²", text)
    text = re.sub(r"\bp = 0?(?=\.\d+\b)", "p ", text)
    return re.sub(r"(?<=\w) x (?=\w)", " × ", text)


def _power(found: re.Match[str]) -> str:
    return f"{found[1]} × 10{str(int(found[2])).translate(SUPERSCRIPTS)}"


def _number(value: float, decimals: int) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")
