"""Names for what an organisation makes itself, from the titles that people give."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from trellis.edition import OWN

LONGEST_NAME = 60


def new_name(title: str, known: Collection[str], otherwise: str) -> str:
    """``own.big_buyers`` from a title; with a number where that is taken, and ``otherwise`` where nothing latin is in it."""
    stem = plain_name(title)[:LONGEST_NAME] or otherwise
    names = (f"{OWN}.{stem}{f'_{number}' if number > 1 else ''}" for number in range(1, len(known) + 2))
    return next(name for name in names if name not in known)


def plain_name(text: str) -> str:
    """The small latin letters and digits of a text, with _ between words."""
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", folded).strip("_")
