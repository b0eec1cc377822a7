"""How well layers of networks foretell recorded responses: pictures in, scores out."""
