"""Measurements, kept apart from the tests: each is a ratio of two ways of doing the same work, taken side by side."""
