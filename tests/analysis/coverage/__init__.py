"""How often intervals hold the truth and tests reject, in simulated sessions."""
