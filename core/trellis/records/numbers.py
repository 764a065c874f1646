"""Reading numbers as people, spreadsheets and programs write them, without guessing what a mark means."""

from __future__ import annotations

import re
from decimal import Decimal

from trellis.i18n import Text, translator

_ = translator("trellis")

_PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?|[+-]?\.[0-9]+")
_WRITTEN = re.compile(r"([+-]?)([1-9][0-9]{0,2}(?:([.,])[0-9]{3}(?:\3[0-9]{3})*)|[0-9]+)(?:([.,])([0-9]*))?")
_THOUSAND = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_SET_OFF = re.compile(r"[\s'\u2019]")
_OTHER = {".": ",", ",": "."}


class NumberUnclear(ValueError):
    """A text is no number, or may be two."""

    def __init__(self, message: Text) -> None:
        super().__init__(message)
        self.message = message


def read_number(text: str, mark: str | None = None, *, by_program: bool = True) -> Decimal:
    """The number in a text: ``1234.5``, ``1 234,50``, ``1.234,50``, ``1,234.50``, ``−3``.

    ``mark`` is the decimal mark where it is known. Without it a comma is one where it cannot be between thousands, and
    so is a point; a text written ``by_program`` (JSON) never has a point between thousands. Raises NumberUnclear, also
    for ``1,234``, which is either of two numbers.
    """
    text = _SET_OFF.sub("", text).replace("\N{MINUS SIGN}", "-")
    if mark != "," and _PLAIN.fullmatch(text) and (by_program or mark or not _THOUSAND.fullmatch(text)):
        return Decimal(text)
    sign, whole, between, last, digits = _parts(text)
    if last is None and between is not None and whole.count(between) == 1:
        if mark is None:
            one, other = (sign + whole.replace(between, instead) for instead in ("", "."))
            meant = {"one": one, "other": f"{other}0"}
            raise NumberUnclear(_("May be %(one)s or %(other)s; write it in one of these forms", **meant))
        if between == mark:
            return Decimal(sign + whole.replace(between, "."))
    if mark is not None and (between == mark or last not in (None, mark)):
        raise NumberUnclear(_("Must be a number with “%(mark)s” before its decimals", mark=mark))
    return Decimal(f"{sign}{whole.replace(between or ' ', '')}.{digits or 0}")


def decimal_mark(text: str) -> str | None:
    """The decimal mark that a number in a text shows for sure; None where it could be either, or shows none."""
    try:
        _sign, whole, between, last, _digits = _parts(_SET_OFF.sub("", text))
    except NumberUnclear:
        return None
    if last is not None:
        return last
    return _OTHER[between] if between is not None and whole.count(between) > 1 else None


def _parts(text: str) -> tuple[str, str, str | None, str | None, str | None]:
    """(sign, digits before the decimals, the mark between thousands, the decimal mark, decimals)."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise NumberUnclear(_("Must be a number"))
    sign, whole, between, last, digits = found.groups()
    if between is not None and last == between:
        raise NumberUnclear(_("Must be a number"))
    return sign, whole, between, last, digits
