"""How far a small change of what is shown changes what a network decides or responds.

Attacks with expectation over the network's own noise, corruptions, and single units. It
makes stimuli and counts; what the counts mean is for analysis.
"""
