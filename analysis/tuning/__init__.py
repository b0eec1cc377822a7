"""How units are tuned to gratings, and how far they are from recorded cells in it.

Responses come as arrays: of cells or of a network's layer, which nothing here tells
apart.
"""
