"""What a task is: the parts of a protocol, their rules, the signal, the TOML files.

Code beside the shipped protocols. Imports no other room.
"""
