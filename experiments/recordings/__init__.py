"""Spikes of recorded cells, and what they were shown: read, checked, cut into parts."""
