"""How well a network's features foretell recorded responses: arrays in, results out.

Features and responses are arrays over the same stimuli; nothing here knows a network,
and what comes out says which formula made it.
"""
