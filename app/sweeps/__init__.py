"""Sweeps: observers x seeds x protocols or people, a cell of its own for each.

The recipe, its cells, what one cell does, the processes and the cluster that do them,
and what they come to: a table with a row for each cell, and means over seeds.
"""
