"""Augmentations: batched, with a draw for each image."""
