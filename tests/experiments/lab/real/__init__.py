"""Tests that open PsychoPy's window on a screen that Xvfb makes up."""
