"""Models fitted to recorded cells, and how well each foretells them."""
