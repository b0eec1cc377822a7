"""Pages of researchers: signing in, one's account, accounts for administrators."""
