"""The primary type of each species up to Gen V, by its number in the national Pokedex, as of today's games."""

from __future__ import annotations

from functools import cache

LAST_OF_GEN_I, LAST_OF_GEN_V = 151, 649

# Species of other primary types (Electric, Fairy, Psychic, ...) are in no line.
_NUMBERS = {
    "Bug": "10-15 46-49 123 127 165-168 193 204-205 212-214 265-269 283-284 290-292 313-314 401-402 412-416 469 "
    "540-545 557-558 588-589 595-596 616-617 632 636-637 649",
    "Fighting": "56-57 66-68 106-107 236-237 296-297 307-308 447-448 532-534 538-539 619-620",
    "Fire": "4-6 37-38 58-59 77-78 126 136 146 155-157 218-219 240 244 250 255-257 322-324 390-392 467 485 498-500 "
    "513-514 554-555 631",
    "Grass": "1-3 43-45 69-71 102-103 114 152-154 182 187-189 191-192 252-254 273-275 285-286 315 331-332 357 "
    "387-389 406-407 420-421 455 459-460 465 470 492 495-497 511-512 546-549 556 590-591 597-598 640",
    "Ground": "27-28 50-51 104-105 111-112 207 231-232 328-330 343-344 383 449-450 464 472 529-530 551-553 618 "
    "622-623 645",
    "Normal": "16-22 39-40 52-53 83-85 108 113 115 128 132-133 137 143 161-164 174 190 203 206 216-217 233-235 "
    "241-242 263-264 276-277 287-289 293-295 298 300-301 327 333 335 351-352 396-400 424 427-428 431-432 440-441 "
    "446 463 474 486 493 504-508 519-521 531 572-573 585-586 626-628 648",
    "Poison": "23-24 29-34 41-42 88-89 109-110 169 316-317 336 434-435 451-454 568-569",
    "Rock": "74-76 95 138-142 185 246-248 299 337-338 345-348 377 408-411 438 476 524-526 566-567 639",
    "Water": "7-9 54-55 60-62 72-73 79-80 86-87 90-91 98-99 116-121 129-131 134 158-160 170-171 183-184 186 "
    "194-195 199 211 222-224 226 230 245 258-260 270-272 278-279 318-321 339-342 349-350 366-370 382 393-395 "
    "418-419 422-423 456-458 484 489-490 501-503 515-516 535-537 550 564-565 580-581 592-594 647",
}


def primary_type(number: int) -> str | None:
    """Return the primary type of a species if it is one of the nine, else None.

    >>> primary_type(7), primary_type(25)
    ('Water', None)
    """
    return primary_types().get(number)


@cache
def primary_types() -> dict[int, str]:
    """Return number to primary type of every species whose primary type is one of the nine, by number."""
    pairs = [(number, kind) for kind, text in _NUMBERS.items() for number in _spelled_out(text)]
    return dict(sorted(pairs))


def _spelled_out(text: str) -> list[int]:
    numbers: list[int] = []
    for piece in text.split():
        first, _, last = piece.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
