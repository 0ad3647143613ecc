"""Augmentations: batched, with a draw for each image.

Each is a frozen dataclass of settings that is called with images (N, C, H, W) in [0, 1] and a generator, and says
in ``kind`` what it may be done to:

- ``geometry``: moves pixels, all channels of an image alike; an input, its condition and its target move together.
- ``colour``: changes an image of 1, 3 or 4 channels; what is reconstructed is the changed image.
- ``corruption``: spoils the input; what is to be made of it stays clean.
- ``labels``: mixes the images of a batch and their classes: called with images, shares (N, K) of the classes in each
  image and a generator, it returns images and shares.
"""
