"""Figures of sessions: what they responded, their kernels, and how far they agree.

Every function takes sessions, or one alone, and returns a matplotlib figure;
`figure.savefig("kernels.svg")` writes it.
"""

from typing import TYPE_CHECKING

from ..agreement.profile import depth_profile
from ..agreement.responses import response_agreement
from ..psychometric.fit import psychometric as fitted_psychometric
from ..second_order.kernel import SecondOrderKernel, second_order_kernel
from ..second_order.spectrum import Spectrum, eigen_spectrum
from ..sensitivity.roc import roc as estimated_roc
from ..sessions.kernel import Method
from ..sessions.summary import summarise
from ..sessions.timeline import timeline
from ..trials.held import as_design
from ..trials.responses import SessionLike, responses
from .chosen import Sessions, listed_sessions, named, of_same_stimuli, paired
from .course import draw_course
from .curves import draw_psychometric, draw_roc
from .depth import draw_depth
from .equivalent_noise import equivalent_noise
from .kernels import draw_kernels, panel
from .measures import draw_agreement, draw_measures
from .second_order import draw_second_order, draw_spectra
from .tuning import v1
from .white_box import WhiteBoxLike, draw_white_box

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "agreement",
    "course",
    "depth",
    "equivalent_noise",
    "kernels",
    "measures",
    "psychometric",
    "roc",
    "second_order",
    "spectra",
    "v1",
    "white_box",
]


def measures(sessions: Sessions) -> "Figure":
    """Plot d', criterion, proportion correct and internal noise of each session.

    Parameters
    ----------
    sessions
        One or more, of any stimuli.

    Returns
    -------
    Figure
        Dots with 95 % intervals, a row for each session and a panel for each measure.

    Raises
    ------
    ValueError
        If there is no session.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> template = yoked.load_observer("template")
    >>> session = yoked.run(protocol, template, seed=1, trials=300, contrast=0.15)
    >>> figure = yoked.plot.measures(session)
    >>> [axis.get_title() for axis in figure.axes]
    ['d′', 'criterion', 'proportion correct', 'internal noise γ']
    """
    return draw_measures([summarise(each) for each in listed_sessions(sessions)])


def course(sessions: Sessions) -> "Figure":
    """Plot sessions along their trials: criterion, d', accuracy, misses, lapses.

    Parameters
    ----------
    sessions
        One or more, of any stimuli.

    Returns
    -------
    Figure
        A column for each session. Dots are windows of trials with 95 % intervals; the
        line with its band is the fitted course of the criterion.

    Raises
    ------
    ValueError
        If there is no session, or one has no trial that counts.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> template = yoked.load_observer("template")
    >>> session = yoked.run(protocol, template, seed=1, trials=300, contrast=0.15)
    >>> yoked.plot.course(session).axes[0].get_ylabel()
    'criterion'
    """
    return draw_course([each for _, each in named(listed_sessions(sessions), timeline)])


def roc(sessions: Sessions) -> "Figure":
    """Plot the receiver operating characteristics of rating or yes/no sessions.

    Parameters
    ----------
    sessions
        One or more. Trials of all contrasts are pooled.

    Returns
    -------
    Figure
        Points, and the normal model's curve where ratings are enough to fit it.

    Raises
    ------
    ValueError
        If there is no session, or one is of a forced choice or lacks trials of a class.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-polarity")
    >>> template = yoked.load_observer("template")
    >>> session = yoked.run(protocol, template, seed=1, trials=300)
    >>> yoked.plot.roc(session).axes[0].get_ylabel()
    'hit rate'
    """
    return draw_roc(named(listed_sessions(sessions), estimated_roc))


def psychometric(sessions: Sessions) -> "Figure":
    """Plot psychometric functions of sessions with three contrasts or more.

    Parameters
    ----------
    sessions
        One or more, drawn on one contrast axis.

    Returns
    -------
    Figure
        Proportions correct with 95 % intervals, and Weibull functions with the interval
        of their thresholds.

    Raises
    ------
    ValueError
        If there is no session, or one has fewer than three contrasts.

    Examples
    --------
    >>> import yoked
    >>> from dataclasses import replace
    >>> protocol = yoked.load_protocol("bar-in-noise").with_options(300, contrast=0.2)
    >>> three = replace(protocol.contrast, values=(0.06, 0.12, 0.25))
    >>> template = yoked.load_observer("template")
    >>> session = yoked.run(replace(protocol, contrast=three), template, seed=1)
    >>> yoked.plot.psychometric(session).axes[0].get_xlabel()
    'signal contrast'
    """
    return draw_psychometric(named(listed_sessions(sessions), fitted_psychometric))


def kernels(sessions: Sessions, order: int = 1, method: Method = "fitted") -> "Figure":
    """Plot the kernels of observers of the same stimuli beside each other.

    Parameters
    ----------
    sessions
        One or more, all with the same stimulus hash.
    order, method
        As for `yoked.kernel`.

    Returns
    -------
    Figure
        Order 1: bars as lines, fields as pictures, above the halves. Of a fitted
        kernel, dots and bands are the unshrunken estimate with its 95 % intervals, of
        each element and, paler, of all at once; of a field they are those of the line
        through its peak. Of other methods a band is the 95 % interval. In noise on a
        basis the classification image stands above the kernel in coefficients. Order 2:
        that of `second_order`. One scale.

    Raises
    ------
    ValueError
        If there is no session, the stimuli differ, order or method is unknown, or the
        kernel cannot be had.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> template = yoked.load_observer("template")
    >>> session = yoked.run(protocol, template, seed=1, trials=300, contrast=0.227)
    >>> figure = yoked.plot.kernels(session)
    >>> figure.axes[0].get_title(), figure.axes[1].get_xlabel()
    ('template', 'element (0 = middle)')
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {order}")
    if order == 2:
        return second_order(sessions)
    panels = named(of_same_stimuli(sessions), lambda each: panel(each, method))
    return draw_kernels([each for _, each in panels])


def second_order(sessions: Sessions) -> "Figure":
    """Plot the second-order kernels of observers of the same stimuli.

    Parameters
    ----------
    sessions
        One or more, all with the same stimulus hash.

    Returns
    -------
    Figure
        Matrices above their diagonals, in units of the noise variance, with what is
        beyond chance outlined. One scale. In
        noise on a basis, of coefficients, above the classification images of the two
        longest eigenvectors.

    Raises
    ------
    ValueError
        If there is no session, the stimuli differ, or the kernel cannot be had.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> template = yoked.load_observer("template")
    >>> session = yoked.run(protocol, template, seed=1, trials=300, contrast=0.227)
    >>> yoked.plot.second_order(session).axes[0].images[0].get_array().shape
    (13, 13)
    """
    return draw_second_order(named(of_same_stimuli(sessions), _second_order))


def spectra(sessions: Sessions) -> "Figure":
    """Plot the eigenvalues of second-order kernels beside those of permuted responses.

    In yes/no and rating the direction of the first-order kernel is taken out first: a
    biased linear observer has a second order along it.

    Parameters
    ----------
    sessions
        One or more, all with the same stimulus hash.

    Returns
    -------
    Figure
        Eigenvalues by rank with their 95 % band, in units of the noise variance.

    Raises
    ------
    ValueError
        If there is no session, the stimuli differ, or the kernel cannot be had.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> template = yoked.load_observer("template")
    >>> session = yoked.run(protocol, template, seed=1, trials=300, contrast=0.227)
    >>> yoked.plot.spectra(session).axes[0].get_xlabel()
    'rank'
    """
    listed = of_same_stimuli(sessions)
    found = named(listed, _spectrum)
    ((_, first),) = named(listed[:1], _second_order)
    return draw_spectra(found, first.noise_sd)


def agreement(sessions: Sessions) -> "Figure":
    """Plot how often yoked sessions have the response of the one they are yoked to.

    Parameters
    ----------
    sessions
        Two or more; each is paired with the one that it is yoked to, if both are given.

    Returns
    -------
    Figure
        Shares of same responses with 95 % intervals, a row for each pair, beside the
        ceiling that the source's double pass sets.

    Raises
    ------
    ValueError
        If no session is yoked to another.

    Examples
    --------
    >>> import yoked
    >>> from yoked.experiments.store.sqlite import open_store
    >>> protocol, store = yoked.load_protocol("bar-in-noise"), open_store(":memory:")
    >>> template = yoked.load_observer("template")
    >>> one = yoked.run(protocol, template, store=store, trials=300, contrast=0.15)
    >>> other = yoked.run(None, template, store=store, yoke_to=one.id)
    >>> yoked.plot.agreement([one, other]).axes[0].get_xlabel()
    'share of trials with the same response'
    """
    return draw_agreement([response_agreement(*pair) for pair in paired(sessions)])


def depth(sessions: Sessions) -> "Figure":
    """Plot the depth profiles of yoked sessions and the ones they are yoked to.

    Parameters
    ----------
    sessions
        Two or more; each is paired with the one that it is yoked to, if both are given.

    Returns
    -------
    Figure
        Agreement in responses, kernel and second-order kernel as shares of the ceiling,
        with 95 % intervals and the verdict, or the reason why there is none.

    Raises
    ------
    ValueError
        If no session is yoked to another.

    Examples
    --------
    >>> import yoked
    >>> from yoked.experiments.store.sqlite import open_store
    >>> protocol, store = yoked.load_protocol("bar-in-noise"), open_store(":memory:")
    >>> template = yoked.load_observer("template")
    >>> one = yoked.run(protocol, template, store=store, trials=300, contrast=0.15)
    >>> other = yoked.run(None, template, store=store, yoke_to=one.id)
    >>> yoked.plot.depth([one, other]).axes[0].get_xlabel()
    'agreement, share of its ceiling'
    """
    return draw_depth([depth_profile(*pair) for pair in paired(sessions)])


def white_box(found: WhiteBoxLike, order: int = 1) -> "Figure":
    """Plot kernels from gradients: of the responses, and of a layer's units.

    Parameters
    ----------
    found
        What `white_box` found of an observer.
    order
        1 or 2.

    Returns
    -------
    Figure
        The kernel of the responses with its halves; to its right a panel for each unit,
        on a scale of its own, if kernels of a layer were asked for.

    Raises
    ------
    ValueError
        If there is no kernel of this order.

    Examples
    --------
    >>> import yoked
    >>> from yoked.models.white_box.kernels import white_box as kernels_of
    >>> protocol, energy = yoked.load_protocol("bar-in-noise"), "energy"
    >>> options = {"contrast": 0.3, "trials": 200, "layer": "0"}
    >>> found = kernels_of(protocol, yoked.load_observer(energy), **options)
    >>> [axis.get_title().split()[0] for axis in white_box(found).axes[2:]]
    ['0', '1']
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {order}")
    return draw_white_box(found, order)


def _second_order(session: SessionLike) -> SecondOrderKernel:
    return second_order_kernel(responses(session), session.noise)


def _spectrum(session: SessionLike) -> Spectrum:
    trials = as_design(session)
    linear_part = "keep" if trials.is_forced_choice else "remove"
    return eigen_spectrum(trials, linear_part=linear_part)
