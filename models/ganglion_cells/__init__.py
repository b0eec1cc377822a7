"""Models of recorded ganglion cells: from what cells were shown to how they fire."""
