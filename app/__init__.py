"""What needs models and analysis together.

web, planning, reports, exports < commands < cli. `files` is for all of them.
"""
