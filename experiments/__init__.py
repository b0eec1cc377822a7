"""What a trial is, for people and networks alike; this room knows neither.

protocols < stimulus < store < session < imports, lab; protocols < monitors < lab. A
room may import the rooms before it, never one after it.
"""
