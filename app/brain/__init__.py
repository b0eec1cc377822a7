"""Layers of networks beside recorded cells: how well they foretell, how alike."""
