"""Robustness: attacks reach closed forms, and are found out where they cannot."""
