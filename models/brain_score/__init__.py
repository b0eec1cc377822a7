"""Brain-Score's interface of a model, BrainModel, for our observers, and the reverse.

Nothing of Brain-Score is imported: what it takes and gives is written out here.
"""
