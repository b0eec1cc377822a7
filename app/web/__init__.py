"""The web task: pages and the JSON beside them, one thread that writes."""
