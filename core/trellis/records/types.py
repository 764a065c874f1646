"""Field types: one declaration gives the column, the JSON form, the schema of REST, the parser of imports.

The same types serve columns of entities and extension fields, so that both sort, filter, import and show alike.
"""

from __future__ import annotations

import decimal
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from babel.numbers import is_currency
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from trellis.i18n import Text as Label
from trellis.i18n import translator
from trellis.records.numbers import NumberUnclear, read_number

_ = translator("trellis")

SCALE = 4
_FACTOR = 10_000
_QUANTUM = decimal.Decimal(1).scaleb(-SCALE)
_LIMIT = decimal.Decimal(10) ** 14
_LARGEST_INTEGER = 2**63 - 1
MAIL_ADDRESS = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\".]+")
EXTENSION = "ext|x|доб|вн"
"""What stands before the extension in a telephone number: a regular expression, in any case."""
_TELEPHONE = re.compile(
    rf"\+?\(?\+?\d[\d\s()./x\u2010-\u2015\u2212-]*(({EXTENSION})\.?:?\s*\d+)?\)?", re.IGNORECASE
)
_BARE_ADDRESS = re.compile(r"[^\s/@:?#]+\.[^\W\d_][^\s/@:?#.]+([/?#]\S*)?")
_YES_OR_NO = dict.fromkeys(("true", "yes", "y", "1", "on", "да", "истина"), True) | dict.fromkeys(
    ("false", "no", "n", "0", "off", "нет", "ложь"), False
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class FixedPoint(TypeDecorator[decimal.Decimal]):
    """Exact decimals with four digits: NUMERIC(18,4) on PostgreSQL, integer ten-thousandths on SQLite.

    SQLite has no exact decimal type; integers keep its sums exact and its indexes useful.
    """

    impl = sa.Numeric(18, SCALE)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.BigInteger() if dialect.name == "sqlite" else sa.Numeric(18, SCALE))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return to_scaled(decimal.Decimal(str(value)))

    def process_result_value(self, value: Any, dialect: Dialect) -> decimal.Decimal | None:
        if value is None or dialect.name != "sqlite":
            return value  # type: ignore[no-any-return]
        return from_scaled(value)


def to_scaled(value: decimal.Decimal) -> int:
    """A decimal as integer ten-thousandths, rounded half up."""
    return int((value * _FACTOR).to_integral_value(decimal.ROUND_HALF_UP))


def from_scaled(value: Any) -> decimal.Decimal:
    """Integer (or averaged, so fractional) ten-thousandths as a decimal with four digits."""
    return (decimal.Decimal(str(value)) / _FACTOR).quantize(_QUANTUM, decimal.ROUND_HALF_UP)


class UtcDateTime(TypeDecorator[datetime]):
    """Moments in UTC: TIMESTAMPTZ on PostgreSQL, ISO text on SQLite, so that text order is time order."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JsonData = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


class ValueInvalid(ValueError):
    """A value does not fit its field; ``message`` is for people."""

    def __init__(self, message: Label) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class FieldType:
    """Base of all field types.

    ``name`` is how REST and OpenAPI call the type; ``kind`` groups types by comparison: text, number, boolean, date,
    datetime, reference, json. Types with ``fixed_point`` compare as exact four-digit decimals.
    """

    name: ClassVar[str] = "text"
    kind: ClassVar[str] = "text"
    fixed_point: ClassVar[bool] = False

    @property
    def adds_up(self) -> bool:
        """Whether the values of several records come to a sum."""
        return False

    def sql(self) -> TypeEngine[Any]:
        """The SQLAlchemy type of a column of this type."""
        return sa.String()

    def check(self, value: Any) -> Any:
        """``value`` as the Python type of the field, or :class:`ValueInvalid`. None and empty text are None."""
        checked = None if value is None or value == "" else self._check(value)
        return None if checked == "" else checked

    def parse(self, text: str) -> Any:
        """Reads a value from a text cell of an import or a form; an empty cell is None."""
        return self.check(text.strip())

    def to_json(self, value: Any) -> Any:
        """The value as REST shows it (money as a decimal string, times ISO 8601)."""
        return value

    def to_extra(self, value: Any) -> Any:
        """The value as kept in the JSON column ``extra``, where it sorts and compares like a column would."""
        return self.to_json(value)

    def from_extra(self, stored: Any) -> Any:
        """The opposite of :meth:`to_extra`. Checks nothing: a stricter field must not make old records unreadable."""
        return stored

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of :meth:`to_json`, for OpenAPI."""
        return {"type": "string"}

    def _check(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueInvalid(_("Must be text"))
        if _UNSTORABLE.search(value):
            raise ValueInvalid(_("The text holds a character that cannot be stored"))
        return value.strip()


@dataclass(frozen=True)
class Text(FieldType):
    """One line of text of at most ``length`` characters.

    ``offers`` is an entity whose records are offered by name while one types; any other text is taken too. ``names`` says
    what the text is the name of (``trellis.naming``, ``trellis.web.vocabularies``), with ``many`` several of them by commas:
    people then read, and choose, the titles.
    """

    length: int = 200
    offers: str = ""
    names: str = ""
    many: bool = False

    def sql(self) -> TypeEngine[Any]:
        return sa.String(self.length)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.length}

    def _check(self, value: Any) -> str:
        text = str(FieldType._check(self, value))
        if len(value) > self.length:
            raise ValueInvalid(
                _("At most %(length)s characters; this has %(given)s", length=self.length, given=len(value))
            )
        return text


@dataclass(frozen=True)
class LongText(FieldType):
    """Text of several lines. Where it holds ``markup``, an import leaves its tags as they are."""

    name: ClassVar[str] = "long_text"
    markup: bool = False

    def sql(self) -> TypeEngine[Any]:
        return sa.Text()


@dataclass(frozen=True)
class Email(Text):
    """One mail address."""

    name: ClassVar[str] = "email"
    length: int = 254

    def _check(self, value: Any) -> str:
        text = Text._check(self, value)
        if not MAIL_ADDRESS.fullmatch(text):
            raise ValueInvalid(_("Must be a mail address such as anna@example.com"))
        return text.lower()


@dataclass(frozen=True)
class Phone(Text):
    """A telephone number, kept as typed, with its extension."""

    name: ClassVar[str] = "phone"
    length: int = 40

    def _check(self, value: Any) -> str:
        text = Text._check(self, value)
        if not _TELEPHONE.fullmatch(text):
            raise ValueInvalid(_("Must be a telephone number such as +46 70 555 01 42"))
        return text


def last_digits_of(number: str, count: int) -> str | None:
    """The last ``count`` digits of a telephone number, without its extension; None when it has fewer."""
    dialled = re.split(EXTENSION, number, maxsplit=1, flags=re.IGNORECASE)[0]
    digits = re.sub(r"\D", "", dialled)
    return digits[-count:] if len(digits) >= count else None


@dataclass(frozen=True)
class Currency(Text):
    """A currency by its ISO 4217 code, kept in capitals: sums of money go by it."""

    length: int = 3

    def _check(self, value: Any) -> str:
        text = str(FieldType._check(self, value)).upper()
        if not is_currency(text):
            raise ValueInvalid(_("Use an ISO 4217 code such as EUR"))
        return text


@dataclass(frozen=True)
class Url(Text):
    """A web address (http or https); one that is written without is taken for https."""

    name: ClassVar[str] = "url"
    length: int = 500

    def _check(self, value: Any) -> str:
        text = Text._check(self, value)
        if _BARE_ADDRESS.fullmatch(text):
            text = Text._check(self, f"https://{text}")
        if not re.fullmatch(r"https?://[^\s/]+\S*", text):
            raise ValueInvalid(_("Must be a web address that starts with https://"))
        return text


@dataclass(frozen=True)
class Integer(FieldType):
    """A whole number; those of several records add up, unless not ``additive`` (scores, places, versions, terms)."""

    name: ClassVar[str] = "integer"
    kind: ClassVar[str] = "number"
    minimum: int | None = None
    maximum: int | None = None
    additive: bool = True

    @property
    def adds_up(self) -> bool:
        return self.additive

    def sql(self) -> TypeEngine[Any]:
        return sa.BigInteger()

    def json_schema(self) -> dict[str, Any]:
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        return {"type": "integer"} | {name: bound for name, bound in bounds.items() if bound is not None}

    def _check(self, value: Any) -> int:
        number = _decimal(value)
        if number != number.to_integral_value():
            raise ValueInvalid(_("Must be a whole number"))
        if abs(number) > _LARGEST_INTEGER:
            raise ValueInvalid(_("The number is too large"))
        _within(number, self.minimum, self.maximum)
        return int(number)


@dataclass(frozen=True)
class Decimal(FieldType):
    """An exact number with up to four digits after the point; those of several records add up, unless not ``additive``.

    ``kpi`` is the sibling field that names the KPI whose value it is: people read it in the unit of that KPI.
    """

    name: ClassVar[str] = "decimal"
    kind: ClassVar[str] = "number"
    fixed_point: ClassVar[bool] = True
    minimum: int | None = None
    maximum: int | None = None
    additive: bool = True
    kpi: str = ""

    @property
    def adds_up(self) -> bool:
        return self.additive

    def sql(self) -> TypeEngine[Any]:
        return FixedPoint()

    def to_json(self, value: Any) -> Any:
        return None if value is None else _plain(value)

    def to_extra(self, value: Any) -> Any:
        return None if value is None else to_scaled(value)

    def from_extra(self, stored: Any) -> Any:
        return None if stored is None else from_scaled(stored)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "decimal"}

    def _check(self, value: Any) -> decimal.Decimal:
        number = _decimal(value)
        if abs(number) >= _LIMIT:
            raise ValueInvalid(_("The number is too large"))
        _within(number, self.minimum, self.maximum)
        return number.quantize(_QUANTUM, decimal.ROUND_HALF_UP)


@dataclass(frozen=True)
class Money(Decimal):
    """An amount; its currency is the sibling field named ``currency`` (the workspace's where the entity has none)."""

    name: ClassVar[str] = "money"
    currency: str = "currency"


@dataclass(frozen=True)
class Percent(Decimal):
    """A share kept as a ratio 0..1 and shown in percent."""

    name: ClassVar[str] = "percent"
    additive: bool = False

    def _check(self, value: Any) -> decimal.Decimal:
        if self.maximum == 1 and _decimal(value) > 1:
            raise ValueInvalid(_("Must be at most 100 %"))
        return Decimal._check(self, value)


@dataclass(frozen=True)
class Boolean(FieldType):
    """Yes or no."""

    name: ClassVar[str] = "boolean"
    kind: ClassVar[str] = "boolean"

    def sql(self) -> TypeEngine[Any]:
        return sa.Boolean()

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def _check(self, value: Any) -> bool:
        known = value if isinstance(value, bool) else _YES_OR_NO.get(str(value).strip().lower())
        if known is None:
            raise ValueInvalid(_("Must be yes or no"))
        return known


@dataclass(frozen=True)
class Date(FieldType):
    """A day."""

    name: ClassVar[str] = "date"
    kind: ClassVar[str] = "date"

    def sql(self) -> TypeEngine[Any]:
        return sa.Date()

    def to_json(self, value: Any) -> Any:
        return None if value is None else value.isoformat()

    def from_extra(self, stored: Any) -> Any:
        return None if stored is None else date.fromisoformat(stored)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}

    def _check(self, value: Any) -> date:
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        try:
            if re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", str(value)):
                return date.fromisoformat(str(value))
            return datetime.fromisoformat(str(value)).date()
        except ValueError:
            raise ValueInvalid(_("Must be a date such as 2026-11-23")) from None


@dataclass(frozen=True)
class DateTime(FieldType):
    """A moment, kept in UTC. A value without a zone is read as UTC."""

    name: ClassVar[str] = "datetime"
    kind: ClassVar[str] = "datetime"

    def sql(self) -> TypeEngine[Any]:
        return UtcDateTime()

    def to_json(self, value: Any) -> Any:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def to_extra(self, value: Any) -> Any:
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def from_extra(self, stored: Any) -> Any:
        return None if stored is None else datetime.fromisoformat(stored)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}

    def _check(self, value: Any) -> datetime:
        try:
            if isinstance(value, datetime):
                moment = value
            elif isinstance(value, date):
                moment = datetime(value.year, value.month, value.day)
            else:
                moment = datetime.fromisoformat(str(value))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValueInvalid(_("Must be a date and time such as 2026-11-23T10:42:00Z")) from None


@dataclass(frozen=True)
class Option:
    """One value of a choice: the stored ``value``, its ``label``, and a ``tone`` for its badge.

    Tones: neutral, good, info, warn, danger, violet, rose, teal.
    """

    value: str
    label: Label
    tone: str = "neutral"


@dataclass(frozen=True)
class Choice(FieldType):
    """One of a fixed list of options."""

    name: ClassVar[str] = "choice"
    options: tuple[Option, ...] = ()

    def sql(self) -> TypeEngine[Any]:
        return sa.String(60)

    def option(self, value: str | None) -> Option | None:
        """The option stored as ``value``."""
        return next((option for option in self.options if option.value == value), None)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": [option.value for option in self.options]}

    def _check(self, value: Any) -> str:
        text = str(FieldType._check(self, value))
        if self.option(text) is None:
            known = ", ".join(option.value for option in self.options)
            raise ValueInvalid(_("“%(value)s” is not one of: %(known)s", value=text[:60], known=known))
        return text


@dataclass(frozen=True)
class Reference(FieldType):
    """A link to a record of ``entity``.

    ``on_delete`` says what a purge of that record does here: ``SET NULL`` or ``CASCADE``; empty for no constraint.
    """

    name: ClassVar[str] = "reference"
    kind: ClassVar[str] = "reference"
    entity: str = ""
    on_delete: str = "SET NULL"

    def sql(self) -> TypeEngine[Any]:
        return BigId

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "description": f"id of a {self.entity}"}

    def _check(self, value: Any) -> int:
        return Integer(minimum=1)._check(value)


@dataclass(frozen=True)
class Json(FieldType):
    """A JSON document; it does not filter or sort."""

    name: ClassVar[str] = "json"
    kind: ClassVar[str] = "json"

    def sql(self) -> TypeEngine[Any]:
        return JsonData

    def json_schema(self) -> dict[str, Any]:
        return {}

    def _check(self, value: Any) -> Any:
        return value


@dataclass(frozen=True)
class Rule(Json):
    """A rule over records: those of the entity ``over``, or of the one that the field ``by`` of the record names.

    That field may also name a KPI: the rule is then about the records that it counts. Forms have a rule builder for it.
    """

    over: str = ""
    by: str = ""


def _decimal(value: Any) -> decimal.Decimal:
    if isinstance(value, bool):
        raise ValueInvalid(_("Must be a number"))
    try:
        number = value if isinstance(value, decimal.Decimal) else read_number(str(value))
    except NumberUnclear as error:
        raise ValueInvalid(error.message) from None
    if not number.is_finite():
        raise ValueInvalid(_("Must be a number"))
    return number


def _within(number: decimal.Decimal, minimum: int | None, maximum: int | None) -> None:
    if minimum is not None and number < minimum:
        raise ValueInvalid(_("Must be %(minimum)s or more", minimum=minimum))
    if maximum is not None and number > maximum:
        raise ValueInvalid(_("Must be %(maximum)s or less", maximum=maximum))


def _plain(value: decimal.Decimal) -> str:
    """A decimal string with two digits after the point, or four: three might be read as thousands."""
    text = f"{value:.4f}"
    return text.removesuffix("00")
