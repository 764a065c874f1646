"""Languages: lazily translated texts, plurals, and numbers, money and dates by locale (CLDR through Babel).

A module says ``_ = translator("trellis_retail")`` and wraps each user-visible text in ``_()``. The result is resolved in
the language of whoever reads it, at the moment of reading. Catalogues are the ``.po`` files that a package ships in
``locale/<language>/LC_MESSAGES/messages.po``; they are read as they are, once per process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from gettext import c2py
from importlib.resources import files
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones

import babel
from babel import dates, numbers
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

LANGUAGES = ("en", "ru")
NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"

_locale: ContextVar[str] = ContextVar("trellis_locale", default="en")
_timezone: ContextVar[str] = ContextVar("trellis_timezone", default="UTC")
_formats: ContextVar[str] = ContextVar("trellis_formats", default="")


@contextmanager
def use_locale(language: str, timezone: str | None = None, formats: str | None = None) -> Iterator[None]:
    """Read texts in ``language``, and show times in ``timezone``, until the block ends.

    Numbers and dates are written as in the language ``formats``; as in ``language`` without it.
    """
    token = _locale.set(language if language in LANGUAGES else "en")
    zone = _timezone.set(timezone or _timezone.get())
    written = _formats.set(formats if formats in LANGUAGES else "")
    try:
        yield
    finally:
        _formats.reset(written)
        _timezone.reset(zone)
        _locale.reset(token)


def current_language() -> str:
    """The language texts are read in now."""
    return _locale.get()


def current_formats() -> str:
    """The language as in which numbers and dates are written now."""
    return _formats.get() or _locale.get()


def current_timezone() -> ZoneInfo:
    """The zone in which times are shown now."""
    return ZoneInfo(_timezone.get())


@cache
def zone_names() -> Mapping[str, str]:
    """The time zones of places, by their names, as people read them: ``America/New York``."""
    return {name: name.replace("_", " ") for name in sorted(available_timezones()) if "/" in name}


def known_timezone(name: str | None) -> str | None:
    """The name of a time zone; None for what is none."""
    try:
        return name if name and ZoneInfo(name) else None
    except (KeyError, ValueError, OSError):  # not found, or no name at all (../x)
        return None


@lru_cache(maxsize=256)
def _catalogue(domain: str, language: str) -> Catalog | None:
    path = files(domain) / "locale" / language / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return read_po(file, locale=language)


@lru_cache(maxsize=16)
def _plural_forms(expression: str) -> Callable[[int], int]:
    """Which form a number takes, by the expression in the head of a catalogue."""
    return c2py(expression)


def _translate(domain: str, message: str, plural: str | None, number: int) -> str:
    language = current_language()
    text = _translated(domain, language, message)
    if isinstance(text, str):
        return text
    if text is not None:
        form = text[_plural_forms(_catalogue(domain, language).plural_expr)(abs(number))]  # type: ignore[union-attr]
        if form:
            return form
    return message if plural is None or number == 1 else plural


@lru_cache(maxsize=16_384)
def _translated(domain: str, language: str, message: str) -> str | tuple[str, ...] | None:
    """What a catalogue has for a message: a text, or its plural forms; None for nothing."""
    catalogue = _catalogue(domain, language) if domain else None
    entry = catalogue.get(message) if catalogue is not None and message else None
    if entry is None or entry.fuzzy or not entry.string:
        return None
    return entry.string if isinstance(entry.string, str) else tuple(map(str, entry.string))


@dataclass(frozen=True, slots=True)
class Text:
    """A translatable text that is resolved when it is read (``str(text)``)."""

    message: str
    domain: str = "trellis"
    plural: str | None = None
    number: int = 1
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        text = _translate(self.domain, self.message, self.plural, self.number)
        return text % self.values if self.values else text

    def __html__(self) -> str:
        from markupsafe import escape

        return str(escape(str(self)))


def as_written(text: str) -> Text:
    """A text of the organisation's own: the same in every language, though a catalogue has it too (“New”, “Yes”)."""
    return Text(text, domain="")


class Translator(Protocol):
    def __call__(self, message: str, /, **values: object) -> Text: ...


class PluralTranslator(Protocol):
    def __call__(self, singular: str, plural: str, num: int, /, **values: object) -> Text: ...


def translator(domain: str) -> Translator:
    """Returns the ``_`` of a package: ``_("Hello, %(name)s", name=name)``."""

    def gettext(message: str, /, **values: object) -> Text:
        return Text(message, domain, values=values)

    return gettext


def plural_translator(domain: str) -> PluralTranslator:
    """Returns the ``_n`` of a package: ``_n("%(num)s row", "%(num)s rows", count)``."""

    def ngettext(singular: str, plural: str, num: int, /, **values: object) -> Text:
        return Text(singular, domain, plural, num, {"num": format_number(num), **values})

    return ngettext


def _cldr() -> babel.Locale:
    return _cldr_of(current_formats())


_cldr_of = lru_cache(maxsize=8)(babel.Locale.parse)


_point_of = lru_cache(maxsize=8)(numbers.get_decimal_symbol)


def format_number(value: Decimal | float | int | None, decimals: int | None = None) -> str:
    """``1 234.5`` or ``1 234,5``; empty for None. ``decimals`` fixes the number of digits after the point.

    Groups are split by a no-break space and minus is U+2212 in both languages. Babel would read the pattern and quantize
    anew for each number, at many times the cost: a page of a list has some hundred.
    """
    if value is None:
        return ""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    text = format(exact, f",.{3 if decimals is None else decimals}f")
    if decimals is None:
        text = text.rstrip("0").rstrip(".")
    whole, point, part = text.partition(".")
    if point:
        point = _point_of(_cldr())
    return f"{whole.replace(',', NBSP).replace('-', MINUS)}{point}{part}"


def format_percent(ratio: Decimal | float | None, decimals: int | None = 1) -> str:
    """A ratio 0..1 as ``4.2 %``. With None for ``decimals`` as somebody wrote it down, ``5 %`` or ``2.5 %``."""
    return "" if ratio is None else f"{format_number(Decimal(str(ratio)) * 100, decimals)}{NBSP}%"


def language_names() -> Mapping[str, str]:
    """What languages are called in the current one, by their two letters."""
    return _language_names(current_language())


@lru_cache(maxsize=8)
def _language_names(language: str) -> Mapping[str, str]:
    known = _cldr_of(language).languages.items()
    return {code: name[:1].upper() + name[1:] for code, name in known if len(code) == 2}


def currency_symbol(currency: str) -> str:
    """The short sign of a currency in the current language (``€``, ``₽``)."""
    return numbers.get_currency_symbol(currency, locale=_cldr()) if currency else ""


def _with_symbol(amount: str, currency: str) -> str:
    symbol = currency_symbol(currency)
    if current_formats() == "ru":
        return f"{amount}{NBSP}{symbol}" if symbol else amount
    sign, digits = (MINUS, amount[1:]) if amount.startswith(MINUS) else ("", amount)
    return f"{sign}{symbol}{NBSP if len(symbol) > 1 else ''}{digits}"


def format_money(amount: Decimal | float | int | None, currency: str, decimals: int = 2) -> str:
    """``€1 234.50`` in English, ``1 234,50 €`` in Russian."""
    return "" if amount is None else _with_symbol(format_number(amount, decimals), currency)


_SHORT = ((Decimal(10**9), "bn", "млрд"), (Decimal(10**6), "m", "млн"), (Decimal(10**3), "k", "тыс."))


def format_short_money(amount: Decimal | float | int | None, currency: str) -> str:
    """``€1.84 m``, ``1,84 млн €``: for tiles and heads only."""
    if amount is None:
        return ""
    value = Decimal(str(amount))
    if abs(value) >= _SHORT[-1][0]:
        return _with_symbol(format_short_number(value), currency)
    return format_money(value, currency, 0 if value == value.to_integral() else 2)


def format_short_number(value: Decimal | float | int) -> str:
    """``1.84 m``, ``1,84 млн``: for a figure under a head that names its unit; two decimals below a thousand."""
    given = Decimal(str(value))
    for size, english, russian in _SHORT:
        if abs(given) >= size:
            scaled = given / size
            digits = 0 if abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2
            unit = russian if current_formats() == "ru" else english
            return f"{format_number(scaled, digits)}{NBSP}{unit}"
    return format_number(given, 2)


def format_date(value: date | datetime | None, today: date | None = None) -> str:
    """``21 Nov`` this year, ``21 Nov 2026`` otherwise; Russian ``21 нояб.``, ``21 ноября 2026``."""
    if value is None:
        return ""
    day = value.astimezone(current_timezone()).date() if isinstance(value, datetime) else value
    now = today or datetime.now(current_timezone()).date()
    same_year = day.year == now.year
    if current_formats() == "ru":
        pattern = "d MMM" if same_year else "d MMMM y"
    else:
        pattern = "d MMM" if same_year else "d MMM y"
    return _written_day(day, pattern, _cldr())


@lru_cache(maxsize=4096)
def _written_day(day: date, pattern: str, locale: babel.Locale) -> str:
    return dates.format_date(day, format=pattern, locale=locale)


def format_weekday(day: date) -> str:
    """A day with its name: ``Wednesday, 25 November``; Russian ``Среда, 25 ноября``."""
    name = dates.format_date(day, "EEEE, d MMMM", locale=_cldr())
    return name[:1].upper() + name[1:]


def format_day_range(first: date, last: date) -> str:
    """The days from ``first`` to ``last``: ``1–22 Nov``, ``28 Oct – 3 Nov``."""
    if (first.year, first.month) != (last.year, last.month):
        return f"{format_date(first)} – {format_date(last)}"
    return format_date(last) if first == last else f"{first.day}–{format_date(last)}"


def weekday_names() -> list[str]:
    """The days of the week from Monday."""
    names = dates.get_day_names("wide", "stand-alone", _cldr())
    return [names[day].capitalize() for day in range(7)]


def month_names() -> list[str]:
    """The months from January."""
    names = dates.get_month_names("wide", "stand-alone", _cldr())
    return [names[month].capitalize() for month in range(1, 13)]


def format_time(value: datetime | None) -> str:
    """``09:12`` in the reader's zone."""
    return "" if value is None else value.astimezone(current_timezone()).strftime("%H:%M")


def format_datetime(value: datetime | None, *, inside: bool = False) -> str:
    """Date and time in the reader's zone; today, yesterday and tomorrow in words (see :func:`format_day`)."""
    return "" if value is None else f"{format_day(value, inside=inside)}, {format_time(value)}"


def format_moment(value: datetime) -> str:
    """A moment in full, with the reader's zone: ``21 November 2026, 09:12 CET``; Russian ``21 ноября 2026, 09:12 CET``."""
    local = value.astimezone(current_timezone())
    return f"{dates.format_date(local, 'd MMMM y', locale=_cldr())}, {local:%H:%M %Z}"


_ = translator("trellis")


def format_day(value: date | datetime, *, inside: bool = False) -> str:
    """A date with relative words only for today, tomorrow and yesterday; ``inside`` a sentence these begin small."""
    day = value.astimezone(current_timezone()).date() if isinstance(value, datetime) else value
    today = datetime.now(current_timezone()).date()
    words = {0: _("Today"), 1: _("Tomorrow"), -1: _("Yesterday")}
    if inside:
        words = {0: _("today"), 1: _("tomorrow"), -1: _("yesterday")}
    distance = (day - today) // timedelta(days=1)
    return str(words[distance]) if distance in words else format_date(day, today)
