"""Yoked: people and networks do the same psychophysics."""
