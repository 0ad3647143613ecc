"""Optimizers: settings whose ``build`` makes torch's optimizer. A new one is one new file."""
