"""Which object a picture is taken for, of two.

How hard each picture is to tell from each other object, and whether people and a model
find the same ones hard.
"""
