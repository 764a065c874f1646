"""A database on each engine with the probe's tables and records."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from probe import ENTITIES, TABLES, make_edition, row
from probe_data import Data, make_records
from sqlalchemy.engine import URL, Engine
from trellis.database import postgresql_engine, sqlite_engine
from trellis.edition import Edition
from trellis.records.entity import Base


@pytest.fixture(scope="session")
def edition() -> Edition:
    return make_edition()


@pytest.fixture(scope="session")
def data() -> Data:
    made = make_records(random.Random(7), 240)
    return Data({entity.__entity__.name: {one["id"]: one for one in rows} for entity, rows in made.items()})


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database of each kind with the probe's tables, empty."""
    if request.param == "sqlite":
        engine = sqlite_engine(tmp_path_factory.mktemp("probe") / "probe.db")
        Base.metadata.create_all(engine, tables=TABLES)
        yield engine
        engine.dispose()
        return
    server: URL = request.getfixturevalue("postgres_server")
    administration = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"probe_{os.getpid()}"
    with administration.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    url = server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    engine = postgresql_engine(url)
    Base.metadata.create_all(engine, tables=TABLES)
    yield engine
    engine.dispose()
    with administration.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    administration.dispose()


@pytest.fixture(scope="session")
def filled(engine: Engine, edition: Edition, data: Data) -> Iterator[Engine]:
    """The database with all records of ``data``."""
    with engine.begin() as connection:
        for entity in ENTITIES:
            rows = [row(edition, entity, one) for one in data.records[entity.__entity__.name].values()]
            connection.execute(sa.insert(entity.__table__), rows)
    yield engine
    with engine.begin() as connection:
        for table in reversed(TABLES):
            connection.execute(sa.delete(table))
