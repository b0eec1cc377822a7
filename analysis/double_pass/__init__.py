"""An observer against itself: agreement, internal noise, lapses."""
