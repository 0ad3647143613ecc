"""Model families: a frozen dataclass of settings whose ``build`` makes the network. A new family is one new file."""
