"""Robustness curves of observers."""
