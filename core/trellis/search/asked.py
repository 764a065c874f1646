"""What somebody asks for: words that a record must all have, each in some form, the end of each yet to be typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import orjson

from trellis.errors import RuleInvalid
from trellis.i18n import translator
from trellis.records.types import FieldType, ValueInvalid
from trellis.search.words import SHORTEST_NUMBER, stem, terms, words

_ = translator("trellis")

MOST_WORDS = 8
LONGEST_TEXT = 1000
_TELEPHONE = re.compile(r"\+?\(?\d[\d\s().+/-]*")
_NATIONAL = 10
"""Digits of a telephone number without the code of its country, which people write as +7, 8 or not at all."""

Alternative = tuple[str, bool]
"""A token, and whether it may be the beginning of a longer one."""


@dataclass(frozen=True)
class Asked:
    """``words`` are those typed, of which the last may go on.

    ``digits`` is a telephone number, where all that was typed looks like one: it is tried as well. Where nothing has the
    words, they are taken loosely: each may go on, and ``near`` holds the known words that are like each of them. With
    ``whole`` none goes on.
    """

    words: tuple[str, ...]
    digits: str = ""
    loose: bool = False
    near: tuple[tuple[str, ...], ...] = ()
    whole: bool = False

    @classmethod
    def checked(cls, text: str) -> Asked | None:
        """What ``text`` asks for; None where it is empty. Raises RuleInvalid for what cannot be searched for."""
        if len(text) > LONGEST_TEXT:
            raise RuleInvalid(_("The text to search for is too long"), "text")
        try:
            given = FieldType().check(text)
        except ValueInvalid as error:
            raise RuleInvalid(error.message, "text") from None
        return cls.of(given) if given else None

    @classmethod
    def of(cls, text: str) -> Asked:
        """What ``text`` asks for. Without a word in it (``%``) it finds nothing."""
        digits = re.sub(r"\D", "", text) if _TELEPHONE.fullmatch(text.strip()) else ""
        return cls(tuple(words(text)[:MOST_WORDS]), digits[-_NATIONAL:] * (len(digits) >= SHORTEST_NUMBER))

    def loosely(self, near: Sequence[Sequence[str]]) -> Asked:
        """The same, with words near to each of its own."""
        return replace(self, loose=True, near=tuple(map(tuple, near)))

    def goes_on(self, place: int) -> bool:
        """The word at ``place`` may be longer than typed: no single letter or figure, which would find everything."""
        last = place == len(self.words) - 1
        return not self.whole and len(self.words[place]) > 1 and (self.loose or last)

    def likes(self, place: int) -> tuple[str, ...]:
        """The words near to that at ``place``."""
        return self.near[place] if self.near else ()

    def tokens(self) -> list[list[list[Alternative]]]:
        """For SQLite: any of these must fit as a whole, with one alternative of each of its parts."""
        parts = []
        for place, word in enumerate(self.words):
            stems = {stem(one) for one in (word, *self.likes(place))}  # a record that has a word has its stem
            begun = [(word, True)] if self.goes_on(place) else []
            parts.append([*begun, *((one, False) for one in sorted(stems - {one for one, _ in begun}))])
        return [one for one in (parts, [[(self.digits, not self.whole)]] if self.digits else []) if one]

    def fts(self) -> str:
        """A query of FTS5."""
        wholes = [" AND ".join(_either(part) for part in whole) for whole in self.tokens()]
        return " OR ".join(f"({whole})" for whole in wholes)

    def forms(self) -> str:
        """For ``trellis_asked`` on PostgreSQL, which knows stems: ``анна:*|анну петров:*``, wholes parted by ``/``."""
        parts = []
        for place, word in enumerate(self.words):
            parts.append("|".join([f"{word}:*" if self.goes_on(place) else word, *self.likes(place)]))
        return "/".join(
            one for one in (" ".join(parts), self.digits and self.digits + ":*" * (not self.whole)) if one
        )


def _either(part: Sequence[Alternative]) -> str:
    either = [f'"{token}"*' if longer else f'"{token}"' for token, longer in part]
    return f"({' OR '.join(either)})"


def holds(text: str, asked: str) -> bool:
    """Whether ``text`` has what is asked for (:meth:`Asked.tokens` as JSON): what the index would say."""
    known = terms(text).split()
    return any(all(_fits(known, part) for part in whole) for whole in _read(asked))


def _fits(known: list[str], part: Sequence[Alternative]) -> bool:
    return any(
        any(one.startswith(token) for one in known) if longer else token in known for token, longer in part
    )


@lru_cache(maxsize=64)
def _read(asked: str) -> list[list[list[Alternative]]]:
    return orjson.loads(asked)  # type: ignore[no-any-return]
