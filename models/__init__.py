"""Who can take part besides people, and how decisions become responses.

retina < training < networks; observers stand beside them. `decision`, `simulate` and
`registry` are what every model shares.
"""
