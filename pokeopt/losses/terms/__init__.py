"""Loss terms: a frozen dataclass of settings whose ``build`` makes the function. A new term is one new file."""
