"""Training by a recipe: a TOML file in, weights out that are an observer.

What is learnt from (new trials, another observer's responses to them, or the trials of
a session), the loop with its checkpoints, and the file of weights. Losses and trials
for a loop of one's own stand in `training`, networks in `networks`.
"""
