"""Two sessions compared as one row: responses, latent agreement, depth profile."""

from typing import Any

from ...analysis.agreement.kappa import compare_kappa
from ...analysis.agreement.latent import latent_agreement
from ...analysis.agreement.profile import depth_profile
from ...analysis.agreement.responses import compare
from ...experiments.session.results import SessionData


def comparison(reference: SessionData, other: SessionData) -> dict[str, Any]:
    """Give all that is said of two observers of the same trials, as plain data."""
    return {
        **compare(reference, other).to_dict(),
        "kappa": compare_kappa(reference, other).to_dict(),
        "latent": latent_agreement(reference, other).to_dict(),
        "depth_profile": depth_profile(reference, other).to_dict(),
    }
