"""Seeds derived from a study's seed and a proposal: the same on every machine, in every attempt."""

import hashlib


def derive_seed(study_seed: int, proposal: int, purpose: str) -> int:
    """Return 31 bits that depend on all three, e.g. ``derive_seed(0, 7, "sampler")``."""
    digest = hashlib.blake2b(f"{study_seed}/{purpose}/{proposal}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") & 0x7FFFFFFF
