"""Names that stand for records, and how they may be written."""

from __future__ import annotations

from dataclasses import dataclass

from trellis.records.text import fold


@dataclass(frozen=True)
class Named:
    """A record that is meant by its name."""

    name: str

    def __str__(self) -> str:
        return self.name


def tidy(name: str) -> str:
    """A name without spaces too many."""
    return " ".join(name.split())


def spellings(name: str) -> tuple[str, str]:
    """How a name may be written, without capitals: as it is, and with its words turned round (``Silva, Rosa``)."""
    plain = fold(tidy(name))
    first, comma, rest = plain.partition(",")
    return plain, f"{rest.strip()} {first}" if comma else " ".join(reversed(plain.split(" ", 1)))
