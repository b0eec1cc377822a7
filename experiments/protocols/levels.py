"""Contrast and its levels: the numbers that every part of a protocol counts in."""

FULL_CONTRAST = 127  # contrast = (level - BACKGROUND) / FULL_CONTRAST
BACKGROUND = 128
