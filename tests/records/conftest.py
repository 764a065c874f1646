"""A database on each engine with the probe's tables and records."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from probe import ENTITIES, EXTENSIONS, MEMBERS, TABLES, Sample, make_edition, row
from probe_data import MOMENTS, Data, fill_large, make_records
from sqlalchemy.engine import URL, Engine
from trellis.database import postgresql_engine, sqlite_engine
from trellis.edition import Edition
from trellis.records.entity import Base
from trellis.records.indexes import create_extension_indexes
from trellis.records.membership import SEGMENT_MEMBER
from trellis.search import index as search
from trellis.search.tables import SEARCH_WORD


@pytest.fixture(scope="session")
def edition() -> Edition:
    return make_edition()


@pytest.fixture(scope="session")
def data() -> Data:
    made = make_records(random.Random(7), 240)
    return Data({entity.__entity__.name: {one["id"]: one for one in rows} for entity, rows in made.items()})


@contextmanager
def probe_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Engine]:
    """A database of its own with the probe's tables, empty."""
    if kind == "sqlite":
        engine = sqlite_engine(folder / "probe.db")
        _make_tables(engine)
        yield engine
        engine.dispose()
        return
    server: URL = request.getfixturevalue("postgres_server")
    administration = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"probe_{os.getpid()}_{folder.name}"
    with administration.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    url = server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    engine = postgresql_engine(url)
    _make_tables(engine)
    yield engine
    engine.dispose()
    with administration.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    administration.dispose()


def _make_tables(engine: Engine) -> None:
    Base.metadata.create_all(engine, tables=[*TABLES, SEARCH_WORD, SEGMENT_MEMBER])
    with engine.begin() as connection:
        search.keep(connection, make_edition())


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, edition: Edition, data: Data
) -> Iterator[Engine]:
    """A database of each kind with all records of ``data``."""
    with probe_database(request.param, request, tmp_path_factory.mktemp("probe")) as engine:
        with engine.begin() as connection:
            for entity in ENTITIES:
                rows = [row(edition, entity, one) for one in data.records[entity.__entity__.name].values()]
                connection.execute(sa.insert(entity.__table__), rows)
            inside = [(segment, id) for segment, ids in MEMBERS.items() for id in ids]
            values = [{"segment": one[0], "record_id": one[1], "entered_at": MOMENTS[0]} for one in inside]
            connection.execute(sa.insert(SEGMENT_MEMBER), values)
        yield engine


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def large(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, edition: Edition
) -> Iterator[Engine]:
    """A database of each kind with 20,000 samples, the indexes of extension fields, and statistics."""
    with probe_database(request.param, request, tmp_path_factory.mktemp("large")) as engine:
        with engine.begin() as connection:
            fill_large(connection, edition)
            create_extension_indexes(connection, Sample, EXTENSIONS["probe_sample"])
        with engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
            connection.commit()
        yield engine
