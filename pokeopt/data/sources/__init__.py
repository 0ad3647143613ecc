"""Sources of images: a frozen dataclass of settings whose ``read`` makes a table. A new source is one new file."""
