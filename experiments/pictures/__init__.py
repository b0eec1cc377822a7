"""Sets of pictures that are made here, of data inside packages: digits and textures."""
