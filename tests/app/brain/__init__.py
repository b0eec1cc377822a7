"""Layers of networks beside recorded responses."""
