"""Networks as observers, and their weights on disk."""
