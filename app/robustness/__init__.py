"""Robustness curves of observers: stimuli of models, intervals of analysis."""
