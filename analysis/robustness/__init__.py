"""What changes of the stimulus cost: accuracy, masked gradients, single units.

It takes counts and responses, from whomever they are, and knows no network.
"""
