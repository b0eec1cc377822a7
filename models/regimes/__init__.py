"""Training on pictures by a recipe, plainly or so that a network becomes brain-like.

A regime is a term beside the classes' loss: alignment with a population, importance
maps, similarities, a second task, attacks. What comes out is weights of a network that
has a name.
"""
