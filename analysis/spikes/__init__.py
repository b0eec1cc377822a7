"""What recorded spikes say of cells, and how well given rates foretell them.

Rates come as arrays: nothing here knows a model. Averages of the stimulus by spikes go
through the kernels of `kernels` and `second_order`, where a spike is a "yes".
"""
