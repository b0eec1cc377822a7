"""Order one, what is looked at: weighted sums, fits, tests, closed forms."""
