"""Deterministic steps on the original image, before it is resized. A new step is one new file."""
