"""Tests of the web application, through its own requests."""
