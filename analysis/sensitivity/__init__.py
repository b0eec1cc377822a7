"""Order zero, from counts: d', criterion, proportions, ROC, efficiency, intervals."""
