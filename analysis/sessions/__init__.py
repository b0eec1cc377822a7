"""One session as its user asks for it: composes the rooms before it."""
