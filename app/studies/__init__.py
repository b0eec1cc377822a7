"""Studies: what they ask of whom, who may begin, and who is to be forgotten."""
