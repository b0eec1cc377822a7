"""Tests of yoked.app.accounts."""
