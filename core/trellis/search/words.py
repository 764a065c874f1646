"""A text as the words that it is found by, on SQLite; PostgreSQL does the same with its own dictionaries."""

from __future__ import annotations

import re
import threading
from functools import lru_cache

import Stemmer

from trellis.records.text import fold

LONGEST = 50_000
"""Letters of a text that are indexed."""

SPELLING = 1
"""To be raised when texts become other words than before, so that upgrades make the indexes anew."""

ACCENTED = "ёàáâãäåçèéêëìíîïñòóôõöøùúûüýÿāăąćčďđēęěğīıłńňőŕřśšşșťțūůűźžż"
PLAIN = "еaaaaaaceeeeiiiinoooooouuuuyyaaaccddeeegiilnnorrssssttuuuzzz"
SHORTEST_NUMBER, LONGEST_NUMBER = 4, 15
"""A telephone number is found by its last digits, from the fourth before the end on."""

_UNACCENTED = str.maketrans(ACCENTED, PLAIN)
_WORD = re.compile(r"[^\W_]+")
_CYRILLIC = re.compile(r"[а-я]")
_own = threading.local()


def words(text: str) -> list[str]:
    """The words of a text, in its order: small letters without accents, and numbers."""
    return _WORD.findall(fold(text[:LONGEST]).translate(_UNACCENTED))


def terms(text: str) -> str:
    """The words of a text and their stems, each once, with spaces between them."""
    found = dict.fromkeys(words(text))
    return " ".join(found | dict.fromkeys(stem(word) for word in found))


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of a Russian or English word; what is neither stays as it is."""
    if not word.isalpha():
        return word
    if not hasattr(_own, "russian"):  # a stemmer may not be shared between threads
        _own.russian, _own.english = Stemmer.Stemmer("russian"), Stemmer.Stemmer("english")
    language = _own.russian if _CYRILLIC.search(word) else _own.english
    return str(language.stemWord(word))


def number_ends(text: str | None) -> str | None:
    """A telephone number as the endings by which it is found: ``+7 495 123-45-67`` by 4951234567, 1234567, 4567 ..."""
    if text is None:
        return None
    digits = re.sub(r"\D", "", text)[-LONGEST_NUMBER:]
    return " ".join(digits[-length:] for length in range(len(digits), SHORTEST_NUMBER - 1, -1))
