"""Photoreceptors: cones that adapt to the mean.

The dynamical adaptation model of Clark et al. [1]_, equation 2, with the constants that
were fitted to macaque cones [2]_:

    tau_r dr/dt = alpha y(t) - (1 + beta z(t)) r(t)

y is the light through a fast filter K_y, z through a slower one that sets the gain,
K_z = gamma K_y + (1 - gamma) K_z', both t^n exp(-t / tau) of unit area. The signal goes
on as contrast, p = (r / m - 1) / g, where m is r's running mean. That second,
post-receptoral step is ours: it stands for what makes ganglion cells follow Weber's law
where cones alone do not yet, and g is the gain of the cone for a brief small contrast
at its adapted mean, so that p is in units of contrast.

References
----------
.. [1] Clark, Benichou, Meister & da Silveira (2013), Dynamical adaptation in
   photoreceptors. PLOS Comput. Biol. 9, e1003289.
.. [2] Angueyra, Baudin, Schwartz & Rieke (2022), Predicting and manipulating cone
   responses to naturalistic inputs. J. Neurosci. 42, 1254-1274: beta .36 ms (for light
   in isomerisations/ms), gamma .448, tau_y 4.49 ms, n_y 4.33, tau_z 166 ms, n_z 1,
   tau_r 4.78 ms; by way of the parameters of VisualNeuroscience-UH/macaqueretina.
   1 / beta, 2,778 isomerisations/s, is near the half-desensitising background 2,250 of
   Angueyra & Rieke (2013) that isetbio quotes.
.. [3] Foveal cone: inner segment of 1.96 square micrometres, quantal efficiency .67
   (Rodieck 1998), as quoted in J. Vision article 2738232 (isetbio's model cones).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from .stage import Stage
from .steps import filtered, gamma_kernel

# A troland puts 1 / 278 lm/m^2 on a retina 16.67 mm behind the nodal point; at 555 nm
# (683 lm/W, 3.58e-19 J a photon) that is 14.7 photons a square micrometre a second.
# Times [3]; what eye media absorb is left out, so this is an upper bound.
ISOMERISATIONS_PER_TROLAND_S = 14.7 * 1.96 * 0.67


@dataclass(frozen=True)
class Cone:
    """Constants of a cone; times in ms, `beta_ms` for light in isomerisations/ms."""

    beta_ms: float = 0.36
    gamma: float = 0.448
    tau_y_ms: float = 4.49
    order_y: float = 4.33
    tau_z_ms: float = 166.0
    order_z: float = 1.0
    tau_r_ms: float = 4.78
    mean_ms: float = 1000.0  # of the running mean: our choice

    @property
    def delay_ms(self) -> float:
        """Mean delay of the fast filter: part of a ganglion cell's latency."""
        return (self.order_y + 1) * self.tau_y_ms


class Photoreceptor(Stage):
    """Turns contrast about a mean luminance into the cones' signal.

    Parameters
    ----------
    cone
        Its constants.
    trolands
        Retinal illuminance of the background: cd/m2 times the pupil's mm2.
    step_ms
        Duration of a step.
    learnable
        Whether its constants are parameters.
    """

    def __init__(
        self, cone: Cone, trolands: float, step_ms: float, learnable: bool = False
    ) -> None:
        super().__init__()
        self.cone = cone
        self.step_ms = step_ms
        per_ms = trolands * ISOMERISATIONS_PER_TROLAND_S / 1000
        names = ("tau_y_ms", "tau_z_ms", "tau_r_ms", "mean_ms")
        times = {name: getattr(cone, name) for name in names}
        # beta times the background: how many times it has cut the dark-adapted gain.
        self.keep(
            learnable, {**times, "load": cone.beta_ms * per_ms}, {"gamma": cone.gamma}
        )

    def forward(
        self, contrast: Float[Tensor, " image step y x"]
    ) -> Float[Tensor, " image step y x"]:
        """Give the signal in units of contrast; 0 is the adapted background."""
        load, gamma = self.constant("load"), self.constant("gamma")
        fast = self._kernel(contrast, "tau_y_ms", self.cone.order_y)
        slow = self._kernel(contrast, "tau_z_ms", self.cone.order_z)
        light = filtered((1 + load) * fast, contrast) + (1 + load)
        held = gamma * fast + (1 - gamma) * slow
        rate = filtered(load * held, contrast) + (1 + load)
        current = self._relax(light / rate, rate) - 1
        mean = filtered(self._kernel(contrast, "mean_ms", 0), current)
        unit = 1 - gamma * load / (1 + load)
        return (current - mean) / (1 + mean) / unit

    def _kernel(self, contrast: Tensor, tau: str, order: float) -> Tensor:
        return gamma_kernel(contrast.shape[1], self.step_ms, self.constant(tau), order)

    def _relax(self, target: Tensor, rate: Tensor) -> Tensor:
        """Let r follow its target, which runs straight between the steps' middles."""
        times = self.constant("tau_r_ms") / rate
        kept = torch.exp(-self.step_ms / times)
        behind = torch.zeros_like(target[:, 0])
        before = torch.ones_like(target[:, 0])
        found = []
        for now, tau, keep in zip(
            target.unbind(1), times.unbind(1), kept.unbind(1), strict=True
        ):
            slope = (now - before) / self.step_ms
            behind = slope * tau * (1 - keep) + behind * keep
            before = now
            found.append(now - behind)
        return torch.stack(found, dim=1)
