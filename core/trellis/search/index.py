"""The search index of each entity: kept by the database, made anew where the fields to be searched have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import Session

from trellis.records.entity import Field
from trellis.records.types import LongText, Text
from trellis.search.matching import WORDS, fts_name, searchable, table_of, text_of, value_of
from trellis.search.vocabulary import learn
from trellis.search.words import ACCENTED, LONGEST, LONGEST_NUMBER, PLAIN, SHORTEST_NUMBER, SPELLING

if TYPE_CHECKING:
    from trellis.edition import Edition, EntityView

_PUNCTUATION = "[!-/:-@[-`{-~]+"
_PAGE = 2_000
PENDING = 256
"""Kilobytes of new words that PostgreSQL may leave unsorted: each search reads through them."""

FUNCTIONS = (
    # Dear, so that it is not asked of each record; and not for parallel workers, which take longer to start than to find.
    # Words as they stand, so that beginnings and the words that dictionaries leave out (IT, для) are found, and stems.
    # translate() compares each letter with each of its list, which takes twice as long as all else, so few texts go through it.
    f"""CREATE OR REPLACE FUNCTION trellis_words(value text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL RESTRICTED COST 1000 AS $$
DECLARE plain text := regexp_replace(lower(left(value, {LONGEST})), '{_PUNCTUATION}', ' ', 'g');
BEGIN
  IF plain ~ '[{ACCENTED}]' THEN
    plain := translate(plain, '{ACCENTED}', '{PLAIN}');
  END IF;
  RETURN to_tsvector('pg_catalog.simple', plain) || to_tsvector('pg_catalog.russian', plain);
END
$$""",
    f"""CREATE OR REPLACE FUNCTION trellis_number_ends(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
SELECT coalesce(string_agg(right(digits, length), ' '), '')
FROM (SELECT right(regexp_replace(value, '\\D', '', 'g'), {LONGEST_NUMBER}) AS digits) AS number,
generate_series({SHORTEST_NUMBER}, length(digits)) AS length
$$""",
    # Words by their stems, which whatever has a word has too; those that dictionaries leave out, and those that may go on,
    # as they were typed. Each word more that is asked for is one more list of all records that have it to read through.
    """CREATE OR REPLACE FUNCTION trellis_asked(asked text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  whole text; part text; form text;
  found tsquery; parts tsquery; forms tsquery; alike tsquery;
BEGIN
  FOREACH whole IN ARRAY string_to_array(asked, '/') LOOP
    parts := NULL;
    FOREACH part IN ARRAY string_to_array(whole, ' ') LOOP
      forms := NULL;
      FOREACH form IN ARRAY string_to_array(part, '|') LOOP
        alike := to_tsquery('pg_catalog.russian', split_part(form, ':', 1));
        IF form LIKE '%:*' OR numnode(alike) = 0 THEN
          alike := to_tsquery('pg_catalog.simple', form) || alike;
        END IF;
        forms := coalesce(forms || alike, alike);
      END LOOP;
      parts := coalesce(parts && forms, forms);
    END LOOP;
    found := coalesce(found || parts, parts);
  END LOOP;
  RETURN found;
END
$$""",
)
"""The twins of :mod:`trellis.search.words` on PostgreSQL."""


def keep(connection: Connection, edition: Edition) -> None:
    """Makes the index of each entity whose fields to be searched have changed; does nothing for the others."""
    if connection.dialect.name == "postgresql":
        for function in FUNCTIONS:
            connection.exec_driver_sql(function.replace("%", "%%"))
    known = _known(connection)
    for view in edition.whole.entities.values():
        _keep(connection, view, known)


def keep_entity(connection: Connection, view: EntityView) -> None:
    """:func:`keep` for one entity, whose fields are about to be those of ``view``."""
    _keep(connection, view, _known(connection))


def forget(connection: Connection, tables: list[str]) -> None:
    """Drops what is left of the index of tables that were dropped."""
    for table in tables:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_quote(connection, fts_name(table))}")
        else:
            connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {_quote(connection, _keeper_name(table))}()")


def _keep(connection: Connection, view: EntityView, known: dict[str, dict[str, str]]) -> None:
    table, fields, dialect = table_of(view), searchable(view), connection.dialect
    make, fill = (
        (_on_postgresql, _fill_on_postgresql)
        if dialect.name == "postgresql"
        else (_on_sqlite, _fill_on_sqlite)
    )
    wanted = dict(make(table, fields, dialect)) if fields else {}
    present = known.get(table, {})
    if present == wanted:
        return
    fill(connection, table, fields, present, wanted)
    if fields and connection.scalar(sa.select(sa.select(view.entity.id).exists())):
        _learn(connection, view, fields)
        if dialect.name == "postgresql":  # what is known of its words decides how they are looked for
            connection.exec_driver_sql(f"ANALYZE {_quote(connection, table)}")


def _known(connection: Connection) -> dict[str, dict[str, str]]:
    """The parts of each table's index by name, as they were made; on PostgreSQL the name tells."""
    if connection.dialect.name == "postgresql":
        statement = (
            "SELECT tablename, indexname, indexname FROM pg_indexes WHERE schemaname = current_schema() "
            "AND indexname LIKE 'search\\_%%\\_________________'"
        )
    else:
        statement = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'core_search_%'"
    found: dict[str, dict[str, str]] = {}
    for table, name, made in connection.exec_driver_sql(statement):
        found.setdefault(table, {})[name] = made
    return found


def _on_postgresql(table: str, fields: list[Field], dialect: Dialect) -> Iterator[tuple[str, str]]:
    made = [*FUNCTIONS[:2], _keeper(table, fields, dialect)]
    mark = hashlib.sha256("\0".join(made).encode()).hexdigest()[:16]
    name = f"search_{table[:38]}_{mark}"
    yield name, name


def _keeper(table: str, fields: list[Field], dialect: Dialect) -> str:
    """What gives a record the words of its fields, when it is new and when one of them is changed."""
    new, old = (", ".join(value_of(field, dialect, row) for field in fields) for row in ("new.", "old."))
    return f"""CREATE OR REPLACE FUNCTION {dialect.identifier_preparer.quote(_keeper_name(table))}() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF tg_op = 'INSERT' OR ROW({new}) IS DISTINCT FROM ROW({old}) THEN
    new.{WORDS} := trellis_words({text_of(fields, dialect, "new.")});
  END IF;
  RETURN new;
END
$$"""


def _keeper_name(table: str) -> str:
    return f"{WORDS}_{table}"


def _fill_on_postgresql(
    connection: Connection,
    table: str,
    fields: list[Field],
    present: Mapping[str, str],
    wanted: Mapping[str, str],
) -> None:
    """Where the words stand already, only records whose words become others are written, and readers go on.

    Else one pass over the table makes them. The column does not stay a generated one, to which migrations could not change
    the columns that it is made of.
    """
    words = f"trellis_words({text_of(fields, connection.dialect)})"
    name, keeper = _quote(connection, table), _quote(connection, _keeper_name(table))
    stands = WORDS in {one["name"] for one in sa.inspect(connection).get_columns(table)}
    if stands and fields:
        (index,) = wanted
        statements = [
            f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE",
            _keeper(table, fields, connection.dialect),
            f"UPDATE {name} SET {WORDS} = {words} WHERE {WORDS} IS DISTINCT FROM {words}",
            *(
                f"ALTER INDEX {_quote(connection, one)} RENAME TO {_quote(connection, index)}"
                for one in present
            ),
        ]
    else:
        statements = [
            *(f"DROP INDEX {_quote(connection, one)}" for one in present),
            f"DROP TRIGGER IF EXISTS {WORDS} ON {name}",
            f"DROP FUNCTION IF EXISTS {keeper}()",
            f"ALTER TABLE {name} DROP COLUMN IF EXISTS {WORDS}",
        ]
        if fields:
            statements += [
                f"ALTER TABLE {name} ADD COLUMN {WORDS} tsvector GENERATED ALWAYS AS ({words}) STORED",
                f"ALTER TABLE {name} ALTER COLUMN {WORDS} DROP EXPRESSION",
                _keeper(table, fields, connection.dialect),
                f"CREATE TRIGGER {WORDS} BEFORE INSERT OR UPDATE ON {name} FOR EACH ROW EXECUTE FUNCTION {keeper}()",
            ]
    if not (stands and present):
        statements += [
            f"CREATE INDEX {_quote(connection, one)} ON {name} USING gin ({WORDS}) "
            f"WITH (gin_pending_list_limit = {PENDING})"
            for one in wanted
        ]
    for statement in statements:
        connection.exec_driver_sql(statement.replace("%", "%%"))


def _on_sqlite(table: str, fields: list[Field], dialect: Dialect) -> Iterator[tuple[str, str]]:
    quote = dialect.identifier_preparer.quote
    index, new, old = (
        quote(fts_name(table)),
        text_of(fields, dialect, "new."),
        text_of(fields, dialect, "old."),
    )
    for when, act in (
        ("insert", f"INSERT INTO {index} (rowid, words) VALUES (new.id, trellis_words({new}))"),
        ("update", f"UPDATE {index} SET words = trellis_words({new}) WHERE rowid = new.id"),
        ("delete", f"DELETE FROM {index} WHERE rowid = old.id"),
    ):
        name = quote(f"{fts_name(table)}_{when}")
        changed = f" WHEN {new} IS NOT {old}" if when == "update" else ""
        yield (
            f"{fts_name(table)}_{when}",
            f"CREATE TRIGGER {name} AFTER {when.upper()} ON {quote(table)} FOR EACH ROW{changed} BEGIN /* words {SPELLING} */ {act}; END",
        )


def _fill_on_sqlite(
    connection: Connection,
    table: str,
    fields: list[Field],
    present: Mapping[str, str],
    wanted: Mapping[str, str],
) -> None:
    for name in present:
        connection.exec_driver_sql(f"DROP TRIGGER {_quote(connection, name)}")
    index = _quote(connection, fts_name(table))
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {index}")
    if not fields:
        return
    # Words come ready, with spaces between them; which of them a record has is all that is asked.
    connection.exec_driver_sql(
        f"CREATE VIRTUAL TABLE {index} USING fts5(words, tokenize = 'ascii', detail = 'none')"
    )
    words = f"trellis_words({text_of(fields, connection.dialect)})"
    connection.exec_driver_sql(
        f"INSERT INTO {index} (rowid, words) SELECT id, {words} FROM {_quote(connection, table)}"
    )
    for statement in wanted.values():
        connection.exec_driver_sql(statement)


def _learn(connection: Connection, view: EntityView, fields: list[Field]) -> None:
    """Tells the vocabulary the words of the records that are there."""
    entity = view.entity
    spoken = [field.of(entity) for field in fields if is_spoken(field)]
    with Session(connection, join_transaction_mode="rollback_only") as session:
        last, known = 0, set[str]()
        while spoken:
            page = sa.select(entity.id, *spoken).where(entity.id > last).order_by(entity.id).limit(_PAGE)
            rows = session.execute(page).all()
            if not rows:
                break
            learn(session, (value for row in rows for value in row[1:] if value), known)
            last = rows[-1][0]
        session.flush()


def is_spoken(field: Field) -> bool:
    """Its words are those of a language: not an address, a number or a code."""
    return type(field.type) in (Text, LongText)


def _quote(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
