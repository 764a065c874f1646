"""Fixtures for tests of Trellis and of plugins: a workspace on SQLite and on a real PostgreSQL, on any machine.

Loaded by pytest wherever ``trellis-crm`` is installed. Workspaces are copies of a migrated template, so each test has
its own at little cost.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from trellis.config import Config
    from trellis.installation import Installation
    from trellis.workspace import Workspace

WORKSPACE = "acme"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """The address of a PostgreSQL, shared by all test processes."""
    from trellis.testing.postgresql import postgresql

    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    with postgresql(shared) as address:
        yield address


def _administer(server: URL, statement: str) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a migrated control database and workspace, to be copied."""
    from trellis.config import Config

    home = tmp_path_factory.mktemp("template")
    _initialise(Config(home=home))
    return home


@pytest.fixture(scope="session")
def postgres_template(postgres_server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """A database with a migrated control schema and workspace, to be copied."""
    from trellis.config import Config

    name = f"template_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    _administer(postgres_server, f'CREATE DATABASE "{name}"')
    url = postgres_server.set(database=name)
    _initialise(Config(home=tmp_path_factory.mktemp("template"), database_url=_plain(url)))
    yield url
    _administer(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)')


def _initialise(config: Config) -> None:
    from trellis.edition import Settings
    from trellis.installation import Installation

    installation = Installation(config)
    installation.create_workspace(WORKSPACE, Settings(title="Acme"))
    installation.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database a test runs on; each test that uses it runs on both."""
    return str(request.param)


@pytest.fixture
def config(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Config]:
    """A fresh installation's configuration, with the workspace ``acme``."""
    from trellis.config import Config

    home = tmp_path / "home"
    if database == "sqlite":
        shutil.copytree(request.getfixturevalue("sqlite_template"), home)
        yield Config(home=home)
        return
    server: URL = request.getfixturevalue("postgres_server")
    template: URL = request.getfixturevalue("postgres_template")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    _administer(server, f'CREATE DATABASE "{name}" TEMPLATE "{template.database}"')
    yield Config(home=home, database_url=_plain(server.set(database=name)))
    _administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def open_installation(config: Config) -> Iterator[Callable[..., Installation]]:
    """Opens the installation, as one more process of the server would; closed after the test."""
    from trellis.installation import Installation

    opened: list[Installation] = []

    def open_(**options: object) -> Installation:
        opened.append(Installation(config, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_
    for installation in opened:
        installation.close()


@pytest.fixture
def installation(open_installation: Callable[..., Installation]) -> Installation:
    """An installation with the workspace ``acme``."""
    return open_installation()


@pytest.fixture
def workspace(installation: Installation) -> Workspace:
    """The workspace ``acme``: migrated and empty, with the core alone."""
    return installation.workspace(WORKSPACE)


@pytest.fixture
def worker(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A thread that does background jobs, as the server's would."""
    from trellis.job_kinds import JOB_KINDS
    from trellis.jobs import Runner, runner

    monkeypatch.setattr(runner, "TICK", 0.02)
    working = Runner(installation, JOB_KINDS)
    thread = working.start()
    yield
    working.stop()
    thread.join()
