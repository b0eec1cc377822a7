"""Tests of what networks give for pictures."""
