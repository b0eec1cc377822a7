"""Layers of networks beside recorded cells: how well they foretell them, how like them."""
