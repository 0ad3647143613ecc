"""Stopping rules: pure functions of the scores so far. A new one is one new file."""
