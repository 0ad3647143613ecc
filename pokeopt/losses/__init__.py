"""Loss terms, and how they are combined into the one number that is minimised."""
