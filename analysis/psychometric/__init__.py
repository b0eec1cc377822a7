"""Performance as a function of contrast and of external noise: fits and thresholds."""
