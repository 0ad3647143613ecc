"""How an epoch draws the training images: one file a sampler."""
