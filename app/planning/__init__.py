"""How many trials a study needs, checked by simulated sessions."""
