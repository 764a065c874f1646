"""Indexes of extension fields: an expression index in each workspace where the field's plugin is enabled.

The expression is :class:`trellis.records.entity.ExtraValue`, as in queries. The id stands behind it for the
tie-break of sorts; NULLs come first, as in lists, so that one index serves both directions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from trellis.records.entity import Entity, ExtraValue, Field
from trellis.records.types import LongText

LONGEST_NAME = 63


def create_extension_indexes(connection: Connection, entity: type[Entity], fields: Iterable[Field]) -> None:
    """Creates the indexes of those extension fields of ``entity`` that ask for one; what exists stays."""
    for field in fields:
        if field.is_extension and field.indexed:
            connection.exec_driver_sql(create_index(entity.__tablename__, field, connection.dialect))


def drop_extension_indexes(connection: Connection, table: str, names: Iterable[str]) -> None:
    """Drops the indexes of the extension fields of these names; the package of the fields may be gone."""
    for name in names:
        connection.exec_driver_sql(drop_index(table, name, connection.dialect))


def create_index(table: str, field: Field, dialect: Dialect) -> str:
    """The CREATE INDEX statement of an extension field."""
    problem = index_problem(field)
    if problem:
        raise ValueError(problem)
    quote = dialect.identifier_preparer.quote
    value = ExtraValue(sa.column("extra"), field.name, field.type).compile(dialect=dialect)
    nulls = " NULLS FIRST" if dialect.name == "postgresql" else ""
    name = quote(index_name(table, field.name))
    return f"CREATE INDEX IF NOT EXISTS {name} ON {quote(table)} (({value}){nulls}, id)"


def drop_index(table: str, field: str, dialect: Dialect) -> str:
    """The DROP INDEX statement of an extension field."""
    return f"DROP INDEX IF EXISTS {dialect.identifier_preparer.quote(index_name(table, field))}"


def index_name(table: str, field: str) -> str:
    """``ix_customer_x_retail_card_number``; a long name is cut and told apart by a fingerprint."""
    name = f"ix_{table}_x_{field.replace('.', '_')}"
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return f"{name[:46]}_{hashlib.sha256(f'{table} {field}'.encode()).hexdigest()[:16]}"


def index_problem(field: Field) -> str:
    """Why an extension field cannot have an index; empty when it can."""
    if field.type.kind == "json" or isinstance(field.type, LongText):
        return f"{field.name}: a field of type {field.type.name} cannot be indexed"
    return ""
