"""Figures that the project answers its question with, from nothing to the picture.

What is expected stands in the docs before a figure is made; what comes out is written
beside it, whatever it is.
"""
