"""Tests of tuning to gratings."""
