"""The table of ganglion cell types: one row has all that tells them apart.

Sizes in degrees are radii to 1/e of the peak, as the literature gives them (the SD is
the radius over sqrt(2)); times are in ms.

References
----------
.. [1] Croner & Kaplan (1995), Receptive fields of P and M ganglion cells across the
   primate retina. Vision Research 35, 7-24. Table 1 and text to figure 4: centre
   radius .03 degrees (P, eccentricity 0 to 5 degrees) and .10 (M, 0 to 10); surround
   radius 6.7 (P) and 4.8 (M) times the centre's. Abstract: integrated surround /
   centre sensitivity .55 for both; contrast gain of M six times that of P.
.. [2] Benardete & Kaplan (1997), The receptive field of the primate P retinal ganglion
   cell, I: Linear dynamics. Visual Neuroscience 14, 169-185. Medians of 13 ON and 11
   OFF cells: gain A of the centre, N_L T_L, H_S, T_S, D, mean rate; delta N_L T_L of
   the surround (median of 14).
.. [3] Benardete & Kaplan (1999), The dynamics of primate M retinal ganglion cells.
   Visual Neuroscience 16, 355-368. Medians of 10 ON and 10 OFF cells: A, N_L T_L, H_S,
   T_0, c_half, D, mean rate. Numbers of [2] and [3] by way of the tables of the public
   repository VisualNeuroscience-UH/macaqueretina.
.. [4] Borghuis, Ratliff, Smith, Sterling & Balasubramanian (2008), Design of a neuronal
   array. J. Neurosci. 28, 3178-3189: brisk-transient neighbours are about 2 SDs apart.
.. [5] Chichilnisky & Kalmar (2002), Functional asymmetries in ON and OFF ganglion cells
   of primate retina. J. Neurosci. 22, 2737-2747: ON more nearly linear, OFF more
   strongly rectifying. No number is taken.
"""

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class CellType:
    """A type of ganglion cell, with the bipolar and amacrine cells before it.

    Attributes
    ----------
    name
        What the channel is called; also the name of its module in every stage.
    polarity
        1 for ON, -1 for OFF.
    pathway
        Whose horizontal cells it listens to. Types of one pathway agree in all that
        concerns their surround.
    centre_deg
        Radius of the centre as a ganglion cell's response shows it.
    surround_ratio
        Radius of the surround, likewise, in units of the centre's.
    surround_gain
        Integrated sensitivity of the surround, the centre's being 1.
    surround_ms
        Time constant of the horizontal cells: how much later the surround is.
    subunit_deg
        Radius of a bipolar cell's centre. Where it is the centre's, the ganglion cell
        has one bipolar cell; where it is less, it pools many.
    rectification
        Of the bipolar cell's synapse: 0 is linear, 1 lets through one sign only.
    latency_ms
        Mean delay from light to the ganglion cell's rate: N_L T_L + D.
    inhibition
        H_S: the share of a steady signal that amacrine cells take away.
    inhibition_ms
        T_S, or T_0 where there is gain control: time constant of that inhibition.
    gain_contrast
        c_half: contrast that halves the time constant. Infinite: no gain control.
    gain_ms
        Time in which amacrine cells measure contrast.
    gain_per_s
        A: spikes/s for a contrast of 1 over the centre, before the inhibition.
    maintained_per_s
        Spikes/s at the background.
    spacing_sd
        Distance of neighbours in SDs of the centre.
    """

    name: str
    polarity: int
    pathway: str
    centre_deg: float
    surround_ratio: float
    surround_gain: float
    surround_ms: float
    subunit_deg: float
    rectification: float
    latency_ms: float
    inhibition: float
    inhibition_ms: float
    gain_contrast: float
    gain_ms: float
    gain_per_s: float
    maintained_per_s: float
    spacing_sd: float = 2.0

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            rule = "letters, digits and underscores"
            raise ValueError(f"name must be {rule}, got {self.name!r}")
        if self.polarity not in (1, -1):
            raise ValueError(f"polarity must be 1 or -1, got {self.polarity}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in NOT_NEGATIVE and not 0 <= value < math.inf:
                raise ValueError(f"{field.name} must be 0 or more, got {value}")
            if field.type is float and field.name not in NOT_NEGATIVE:
                endless = field.name == "gain_contrast"
                if not 0 < value <= math.inf or (value == math.inf and not endless):
                    raise ValueError(f"{field.name} must be more than 0, got {value}")
        if self.rectification > 1:
            raise ValueError(
                f"rectification must be in [0, 1], got {self.rectification}"
            )
        if self.subunit_deg > self.centre_deg:
            rule = f"centre_deg, {self.centre_deg}, or less"
            raise ValueError(f"subunit_deg must be {rule}, got {self.subunit_deg}")
        # Horizontal cells are what the surround has beyond contacts and pooling.
        if self.surround_ratio <= 1 or 0.75 * self.surround_deg**2 <= self.pool_deg**2:
            rule, got = "wide enough for horizontal cells", self.surround_ratio
            raise ValueError(f"surround_ratio must be {rule}, got {got}")

    @property
    def surround_deg(self) -> float:
        """Radius of the surround in degrees."""
        return self.surround_ratio * self.centre_deg

    @property
    def pool_deg(self) -> float:
        """Radius over which it pools bipolar cells; 0 where it has just one."""
        return math.sqrt(self.centre_deg**2 - self.subunit_deg**2)

    @property
    def spacing_deg(self) -> float:
        """Distance between neighbours."""
        return self.spacing_sd * self.centre_deg / math.sqrt(2)

    @property
    def has_gain_control(self) -> bool:
        """Whether contrast shortens the inhibition's time constant."""
        return self.gain_contrast < math.inf


NOT_NEGATIVE = {"surround_gain", "rectification", "inhibition"}

# What both midgets and both parasols have in common. Ours, without a source: that a
# parasol's subunits are as wide as a midget's centre (its optics are the same), the
# parasol surround's lag (the midget's), gain_ms, and the parasols' rectifications,
# which only put in numbers that ON is the more linear [5]. [1] for all sizes, [4] for
# the spacing.
_MIDGET = {
    "pathway": "midget",
    "centre_deg": 0.03,
    "surround_ratio": 6.7,
    "surround_gain": 0.55,
    "surround_ms": 7.52,
    "subunit_deg": 0.03,
    "rectification": 0.0,
    "gain_contrast": math.inf,
    "gain_ms": 15.0,
}
_PARASOL = {
    "pathway": "parasol",
    "centre_deg": 0.10,
    "surround_ratio": 4.8,
    "surround_gain": 0.55,
    "surround_ms": 7.52,
    "subunit_deg": 0.03,
    "gain_ms": 15.0,
}

ON_MIDGET = CellType(
    name="on_midget",
    polarity=1,
    latency_ms=48.15 + 3.5,
    inhibition=0.69,
    inhibition_ms=29.36,
    gain_per_s=67.59,
    maintained_per_s=36.15,
    **_MIDGET,
)
OFF_MIDGET = CellType(
    name="off_midget",
    polarity=-1,
    latency_ms=50.38 + 3.5,
    inhibition=0.75,
    inhibition_ms=35.68,
    gain_per_s=52.95,
    maintained_per_s=24.68,
    **_MIDGET,
)
ON_PARASOL = CellType(
    name="on_parasol",
    polarity=1,
    rectification=0.5,
    latency_ms=40.33 + 2.0,
    inhibition=1.0,
    inhibition_ms=37.34,
    gain_contrast=0.051,
    gain_per_s=499.77,
    maintained_per_s=37.37,
    **_PARASOL,
)
OFF_PARASOL = CellType(
    name="off_parasol",
    polarity=-1,
    rectification=1.0,
    latency_ms=43.39 + 2.4,
    inhibition=0.97,
    inhibition_ms=57.62,
    gain_contrast=0.039,
    gain_per_s=517.4,
    maintained_per_s=29.85,
    **_PARASOL,
)
PRIMATE = (ON_MIDGET, OFF_MIDGET, ON_PARASOL, OFF_PARASOL)
