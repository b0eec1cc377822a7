"""Tests of sets of pictures."""
