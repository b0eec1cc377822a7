"""What every statistic starts from: responses, noise, sums over noise, resampling.

And the `Estimate` that every statistic ends in. Imports no other room.
"""
