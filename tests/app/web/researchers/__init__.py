"""Tests of yoked.app.web.researchers."""
