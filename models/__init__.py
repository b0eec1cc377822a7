"""Who can answer besides people: templates, circuits, networks, and their decisions."""
