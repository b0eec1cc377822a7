"""How close observers come to people, at three depths."""
