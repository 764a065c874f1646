"""Indexes of extension fields: an expression index in each workspace where the field's plugin is enabled.

The expression is :class:`trellis.records.entity.ExtraValue`, as in queries. The id stands behind it for the tie-break
of sorts; NULLs come first, as in lists, so that one index serves both directions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from trellis.records.entity import Entity, ExtraValue, Field
from trellis.records.types import LongText

LONGEST_NAME = 63


def create_extension_indexes(connection: Connection, fields: Iterable[tuple[type[Entity], Field]]) -> None:
    """Creates the indexes of those extension fields that ask for one; what exists already stays."""
    for entity, field in fields:
        if field.is_extension and field.indexed:
            connection.execute(sa.DDL(create_index(entity, field, connection.dialect)))


def drop_extension_indexes(connection: Connection, fields: Iterable[tuple[type[Entity], Field]]) -> None:
    """Drops the indexes of those extension fields, where they exist."""
    for entity, field in fields:
        if field.is_extension and field.indexed:
            connection.execute(sa.DDL(drop_index(entity, field, connection.dialect)))


def create_index(entity: type[Entity], field: Field, dialect: Dialect) -> str:
    """The CREATE INDEX statement of an extension field."""
    problem = index_problem(field)
    if problem:
        raise ValueError(problem)
    quote = dialect.identifier_preparer.quote
    value = ExtraValue(sa.column("extra"), field.name, field.type).compile(dialect=dialect)
    nulls = " NULLS FIRST" if dialect.name == "postgresql" else ""
    name, table = quote(index_name(entity.__tablename__, field.name)), quote(entity.__tablename__)
    return f"CREATE INDEX IF NOT EXISTS {name} ON {table} (({value}){nulls}, id)".replace("%", "%%")


def drop_index(entity: type[Entity], field: Field, dialect: Dialect) -> str:
    """The DROP INDEX statement of an extension field."""
    return f"DROP INDEX IF EXISTS {dialect.identifier_preparer.quote(index_name(entity.__tablename__, field.name))}"


def index_name(table: str, field: str) -> str:
    """``xf_customer_retail_card_number``; a long name is cut and told apart by a fingerprint."""
    name = f"xf_{table}_{field.replace('.', '_')}"
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return f"{name[:46]}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def index_problem(field: Field) -> str:
    """Why an extension field cannot have an index; empty when it can."""
    if field.type.kind == "json" or isinstance(field.type, LongText):
        return f"{field.name}: a field of type {field.type.name} cannot be indexed"
    return ""
