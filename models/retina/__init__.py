"""The retina in front of a network: from contrast to ganglion cells."""
