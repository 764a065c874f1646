"""Options of the analytics: declared once, read alike from the command line, REST and the addresses of pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from trellis.errors import TrellisError
from trellis.i18n import Text, translator
from trellis.kpi import periods

_ = translator("trellis")

_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


class OptionInvalid(TrellisError):
    """An option is not written as it should be; ``name`` says which."""

    code = "option_invalid"

    def __init__(self, name: str, detail: Any) -> None:
        super().__init__(detail)
        self.name = name


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option: ``schema`` is its type in JSON Schema, ``parse`` makes its value of a text or raises ValueError.

    ``expected`` completes the sentence “measure is ...”, which is what is said of a text that does not fit.
    """

    name: str
    help: Text
    schema: Mapping[str, Any]
    parse: Callable[[str], Any]
    expected: Text
    default: Any = None

    @property
    def is_flag(self) -> bool:
        """Whether it is yes or no."""
        return bool(self.schema["type"] == "boolean")

    def read(self, text: str) -> Any:
        """Its value. Raises OptionInvalid."""
        try:
            return self.parse(text.strip())
        except periods.PeriodInvalid as error:
            raise OptionInvalid(self.name, error.detail) from None
        except (ValueError, ArithmeticError):
            told = _("“%(name)s” is %(expected)s", name=self.name, expected=self.expected)
            raise OptionInvalid(self.name, told) from None


def period(about: Text) -> Option:
    """A period: 2026, 2026-Q3."""
    expected = _("a period such as 2026-Q3")
    return Option(
        name="period", help=about, schema={"type": "string"}, parse=periods.parse, expected=expected
    )


def day(name: str, about: Text) -> Option:
    """A date, of the years that periods may have."""

    def parse(text: str) -> date:
        day = date.fromisoformat(text)
        if not periods.FIRST_YEAR <= day.year <= periods.LAST_YEAR:
            raise ValueError(text)
        return day

    return Option(
        name=name,
        help=about,
        schema={"type": "string", "format": "date"},
        parse=parse,
        expected=_("a date such as 2026-11-23"),
    )


def choice(name: str, known: Sequence[str], about: Text, default: str | None = None) -> Option:
    """One of some words."""

    def parse(text: str) -> str:
        if text not in known:
            raise ValueError(text)
        return text

    schema = {"type": "string", "enum": list(known)}
    expected = _("one of these: %(known)s", known=", ".join(known))
    return Option(name=name, help=about, schema=schema, parse=parse, expected=expected, default=default)


def word(name: str, about: Text) -> Option:
    """The name of something; whether there is such a thing is for those who look for it."""
    return Option(
        name=name,
        help=about,
        schema={"type": "string"},
        parse=lambda text: text or None,
        expected=_("a name"),
    )


def flag(name: str, about: Text) -> Option:
    """Yes or no; no when it is not given."""

    def parse(text: str) -> bool:
        if text.lower() not in (*_TRUE, *_FALSE):
            raise ValueError(text)
        return text.lower() in _TRUE

    return Option(
        name=name,
        help=about,
        schema={"type": "boolean"},
        parse=parse,
        expected=_("true or false"),
        default=False,
    )


def whole(name: str, lowest: int, highest: int, about: Text, default: int | None = None) -> Option:
    """A whole number between two bounds."""
    return _bounded("integer", int, name, lowest, highest, about, default)


def number(name: str, lowest: float, highest: float, about: Text, default: float | None = None) -> Option:
    """A number between two bounds; ``inf`` and ``nan`` are none."""
    return _bounded("number", float, name, lowest, highest, about, default)


def _bounded(
    kind: str, read: Callable[[str], Any], name: str, lowest: Any, highest: Any, about: Text, default: Any
) -> Option:
    def parse(text: str) -> Any:
        value = read(text) if text.isascii() and "_" not in text and len(text) < 20 else None
        if value is None or not lowest <= value <= highest:
            raise ValueError(text)
        return value

    return Option(
        name=name,
        help=about,
        schema={"type": kind, "minimum": lowest, "maximum": highest},
        parse=parse,
        expected=_("a number from %(low)s to %(high)s", low=lowest, high=highest),
        default=default,
    )
