"""What the layers of a network give for pictures: gratings, photographs, textures.

No task, no trial and no read-out: responses come out as arrays.
"""
