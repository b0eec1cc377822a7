"""Other people's data as sessions of the trial log.

One file for each published data set, and `table*` for anybody's own.
"""
