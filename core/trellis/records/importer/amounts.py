"""Numbers as a column of a file writes them, and amounts with their currency: ``$12,500.00``, ``1 250,50 руб.``, ``(1,200.00)``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_symbol, is_currency

from trellis.edition import EntityView
from trellis.errors import Message
from trellis.i18n import translator
from trellis.records.numbers import NumberUnclear, decimal_mark, read_number
from trellis.records.types import Money, ValueInvalid

_ = translator("trellis")

SIGNS: Mapping[str, str] = {
    "€": "EUR",
    "$": "USD",
    "£": "GBP",
    "₽": "RUB",
    "руб": "RUB",
    "р": "RUB",
    "₴": "UAH",
    "₸": "KZT",
    "₹": "INR",
    "zł": "PLN",
    "kč": "CZK",
}
"""Signs that mean one currency as long as nothing else is said; what may be several (``kr``, ``¥``) is no number."""
_DOLLAR = "$"
_SIGNED = re.compile(
    r"(?P<before>[^\d\s.,()+\-\u2212]*)\s*(?P<number>.*?)\s*(?P<after>[^\d\s,()]*)", re.DOTALL
)
_IN_BRACKETS = re.compile(r"\((.*)\)", re.DOTALL)


class Numbers:
    """Numbers with the decimal mark that is declared, or that the column shows, or else the other columns do.

    Of a field of ``shares``, which are kept as ratios, ``25 %`` is 0.25; of one whose shares are ``parts`` of a whole, a
    column that has 25 is in percent as well.
    """

    def __init__(
        self, declared: str | None, others: set[str], *, shares: bool = False, parts: bool = False
    ) -> None:
        self._shares = shares
        self._parts = parts
        self._in_percent = False
        self._declared = declared
        self._marks: set[str] = set()
        self._others = others

    def see(self, cell: str) -> None:
        number = self._number(cell)
        if (mark := decimal_mark(number)) is not None:
            self._marks.add(mark)
            self._others.add(mark)
        if self._parts and number == cell:
            with suppress(NumberUnclear):
                self._in_percent |= read_number(number) > 1

    def read(self, value: Any) -> Any:
        marks = self._marks or self._others
        mark = self._declared or (next(iter(marks)) if len(marks) == 1 else None)
        if not isinstance(value, str):
            return value
        number = self._number(value)
        try:
            read = read_number(number, mark, by_program=False)
        except NumberUnclear as error:
            raise ValueInvalid(error.message) from None
        return read / 100 if self._in_percent or number != value else read

    def _number(self, cell: str) -> str:
        """A cell without its sign of percent."""
        bare = cell.rstrip()
        return bare.removesuffix("%").rstrip() if self._shares and bare.endswith("%") else cell


@dataclass(frozen=True)
class Signed:
    """An amount whose cell names its currency: by ``sign``, as it is written, which means ``currency``."""

    number: Decimal
    currency: str
    sign: str

    def fits(self, code: str) -> bool:
        """Whether the amount may be in the currency ``code``: a dollar sign is that of several."""
        dollar = self.sign == _DOLLAR and get_currency_symbol(code, locale="en").endswith(_DOLLAR)
        return code == self.currency or dollar


class Amounts(Numbers):
    """Numbers of a field of money, which may have the sign or the code of a currency before or behind them.

    What stands in brackets is below zero, as in books.
    """

    def read(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        bare, sign = self._parted(value)
        number = super().read(bare)
        if not sign:
            return number
        return Signed(number, SIGNS.get(sign.lower(), sign.upper()), sign)

    def _number(self, cell: str) -> str:
        return self._parted(cell)[0]

    def _parted(self, cell: str) -> tuple[str, str]:
        """(the number, the sign of its currency); the cell itself where its marks mean nothing."""
        text, below = cell.strip(), ""
        if (inside := _IN_BRACKETS.fullmatch(text)) is not None:
            text, below = inside[1].strip(), "-"
        if text.startswith(("-", "\N{MINUS SIGN}")):
            text, below = text[1:].lstrip(), "-"
        found = _SIGNED.fullmatch(text)
        if found is None:
            return cell, ""
        signs = [one.rstrip(".") for one in (found["before"], found["after"]) if one.rstrip(".")]
        if len(signs) > 1 or any(one.lower() not in SIGNS and not is_currency(one.upper()) for one in signs):
            return cell, ""
        return f"{below}{found['number']}", signs[0] if signs else ""


def settle(view: EntityView, currency: str, found: dict[str, Any]) -> dict[str, list[Message]]:
    """Takes amounts for their numbers, and their currency for that of the record where the file says no other.

    ``currency`` is that of the workspace. Returns what contradicts, by field.
    """
    errors: dict[str, list[Message]] = {}
    for name, amount in [(name, one) for name, one in found.items() if isinstance(one, Signed)]:
        declared = view.fields[name].type
        assert isinstance(declared, Money)
        named = view.fields.get(declared.currency)
        said = found.get(declared.currency) if named is not None else currency
        found[name] = amount.number
        if said is None and named is not None and not named.read_only:
            found[named.name] = amount.currency
        elif not amount.fits(str(said or currency).upper()):
            words = {"sign": amount.sign, "currency": said or currency}
            errors[name] = [
                _("The amount is in “%(sign)s”, and the currency of the record is %(currency)s", **words)
            ]
    return errors
