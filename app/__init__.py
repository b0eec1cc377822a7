"""What needs models and analysis together.

accounts < web; web, planning, reports, exports < commands < cli. `files` and
`keyfile` are for all of them.
"""
