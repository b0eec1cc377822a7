"""Who can take part besides people, and how decisions become responses.

retina < backbones < training < networks < white_box; observers stand beside them.
`noise`, `decision`, `simulate` and `registry` are what every model shares.
"""
