"""Figures of sessions. Matplotlib is imported when a figure is drawn."""
