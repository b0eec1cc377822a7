"""The trial log: the rows of a trial and of a session, and the file that keeps them.

Nobody else knows SQLite; a `Store` is all that leaves the room.
"""
