"""Fixtures for tests of Trellis and of plugins: a workspace on SQLite and on a real PostgreSQL, on any machine.

Loaded by pytest wherever ``trellis-crm`` is installed. Workspaces are copies of templates, so each test has its own
at little cost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from trellis.config import Config
    from trellis.installation import Installation
    from trellis.testing.templates import Prepare, Templates
    from trellis.workspace import Workspace


@pytest.fixture(scope="session", autouse=True)
def addresses_compiled_once() -> Iterator[None]:
    """Each application that a test makes has the same addresses; to compile them takes longer than all else of it."""
    from werkzeug.routing import Rule

    compiled: dict[Any, dict[str, Any]] = {}
    compile_rule: Any = Rule.compile

    def remembered(rule: Any) -> None:
        place = (rule.rule, rule.host, rule.subdomain, rule.map.host_matching, rule.merge_slashes)
        key = (*place, tuple((rule.defaults or {}).items()), frozenset(rule.map.converters.items()))
        if key not in compiled:
            compile_rule(rule)
            made = ("_parts", "_trace", "_converters", "arguments", "_build", "_build_unknown")
            compiled[key] = {name: getattr(rule, name) for name in made}
            return
        vars(rule).update(compiled[key])
        for name in ("_build", "_build_unknown"):
            setattr(rule, name, compiled[key][name].__func__.__get__(rule))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "compile", remembered)
        yield


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    """Each installation that a test opens has databases of its own, which are asked the same statements.

    So all engines on one kind of database share the dialect of one that has connected, and what it has compiled.
    """
    import sqlalchemy as sa

    first: dict[str, Any] = {}
    create_engine: Any = sa.create_engine

    def sharing(*given: Any, **options: Any) -> Any:
        engine = create_engine(*given, query_cache_size=5000, **options)
        known = first.setdefault(engine.dialect.name, engine)
        if getattr(known.dialect, "server_version_info", None) is None:
            first[engine.dialect.name] = engine
        else:
            engine.dialect = engine.pool._dialect = known.dialect
            engine._compiled_cache = known._compiled_cache
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sa, "create_engine", sharing)
        yield


@pytest.fixture(scope="session", autouse=True)
def first_revisions_run_once() -> Iterator[None]:
    """Tables that nobody had before are made by what the same revisions said the first time, without asking them again."""
    from trellis import migration
    from trellis.testing.replaying import Replayed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migration, "upgrade", Replayed(migration.upgrade))
        yield


@pytest.fixture(scope="session", autouse=True)
def nothing_outlives_a_power_failure() -> Iterator[None]:
    """What a test has written need not reach the disk, as little as in the PostgreSQL of the tests."""
    from trellis.database import SQLITE

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SQLITE, "synchronous", "off")
        yield


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """The address of a PostgreSQL, shared by all test processes."""
    from trellis.testing.postgresql import postgresql

    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    with postgresql(shared) as address:
        yield address


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The installations on SQLite that tests copy."""
    from trellis.testing.templates import Templates

    return Templates(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_templates(
    postgres_server: URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Templates]:
    """The installations on PostgreSQL that tests copy."""
    from trellis.testing.templates import Templates

    templates = Templates(tmp_path_factory.mktemp("postgresql"), postgres_server)
    yield templates
    templates.close()


@pytest.fixture
def prepare() -> Prepare | None:
    """What fills the workspace ``acme`` before it is copied for each test; nothing does.

    Override it in a folder or file whose tests begin with the same data: return a function that takes the
    :class:`Config`, always the same one, and fills the workspace; it runs once in a process and database.
    """
    return None


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database a test runs on; each test that uses it runs on both."""
    return str(request.param)


@pytest.fixture
def config(
    database: str, prepare: Prepare | None, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Config]:
    """A fresh installation's configuration, with the workspace ``acme``."""
    templates: Templates = request.getfixturevalue(f"{database}_templates")
    made = templates.copy(prepare, tmp_path / "home")
    yield made
    templates.drop(made)


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
    """The workspace ``acme``: migrated, with the core alone and empty unless ``prepare`` filled it."""
    from trellis.testing.templates import WORKSPACE

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
