"""What responses mean; nothing here can tell a person from a network.

trials < sensitivity < double_pass, psychometric; trials < probit < kernels <
second_order < sessions < agreement < plot (double_pass < kernels as well), and
second_order < spikes. A room may import the rooms before it, never one after it.
"""
