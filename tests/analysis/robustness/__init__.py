"""Robustness: intervals of accuracy and of distributions over units."""
