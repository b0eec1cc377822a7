"""Brain measures: known truths come out, and what cannot be said is told."""
