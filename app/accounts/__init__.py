"""Researchers: passwords, codes, roles, tokens, sign-ins, audit; without any page."""
