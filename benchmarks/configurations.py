"""The work that both sides do: 24 fixed MLP configurations, their epochs as successive halving would give them."""

from __future__ import annotations

from dataclasses import dataclass

EPOCHS = (1,) * 16 + (3,) * 5 + (9,) * 2 + (18,)  # 67 in all
WIDTHS = (
    (256, 128),
    (128, 64),
    (256,),
    (192, 96),
    (128, 128),
    (192, 96, 48),
)  # the documents' MLP, and smaller
BATCH_SIZES = (16, 32, 64)
LEARNING_RATES = (1e-3, 3e-4, 2e-3, 5e-4)
DROPOUTS = (0.2, 0.0, 0.4)


@dataclass(frozen=True)
class Configuration:
    """One trial of the list."""

    name: str
    width: tuple[int, ...]
    batch_size: int
    learning_rate: float
    dropout: float
    epochs: int


def configurations(n: int = len(EPOCHS)) -> list[Configuration]:
    """Return the list (or its last ``n``); every axis varies from one to the next."""
    every = [
        Configuration(
            name=f"c{i:02d}",
            width=WIDTHS[i % len(WIDTHS)],
            batch_size=BATCH_SIZES[i % len(BATCH_SIZES)],
            learning_rate=LEARNING_RATES[(i // 2) % len(LEARNING_RATES)],
            dropout=DROPOUTS[(i // 3) % len(DROPOUTS)],
            epochs=epochs,
        )
        for i, epochs in enumerate(EPOCHS)
    ]
    return every[-n:]
