"""Installations that are made once in a process, and copied for each test at little cost."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import URL, make_url

from trellis.config import Config
from trellis.edition import Settings
from trellis.installation import Installation

WORKSPACE = "acme"
Prepare = Callable[[Config], None]
"""Fills the workspace of a fresh installation, which it opens and closes by itself."""


class Templates:
    """Templates by what prepared them, kept in ``folder``: on the PostgreSQL ``server``, or on SQLite without one."""

    def __init__(self, folder: Path, server: URL | None = None) -> None:
        self._folder = folder
        self._server = server
        self._made: dict[Prepare, Config] = {}
        self._numbers = itertools.count()
        self._administrator: psycopg.Connection[Any] | None = None

    def copy(self, prepare: Prepare | None, home: Path) -> Config:
        """An installation of one's own under ``home``: the workspace ``acme`` after ``prepare``, or empty."""
        fill = prepare or _initialise
        if fill not in self._made:
            place = self._folder / str(next(self._numbers))
            made = self.copy(None, place) if prepare else self._config(place)
            fill(made)
            self._made[fill] = made
        template = self._made[fill]
        if template.home.exists():
            shutil.copytree(template.home, home)
        return self._config(home, template)

    def drop(self, config: Config) -> None:
        """Deletes the database of a copy. Files are left to whoever named the folder."""
        if self._server is not None:
            self._administer(f'DROP DATABASE "{make_url(config.database_url).database}" WITH (FORCE)')

    def close(self) -> None:
        """Deletes the databases of the templates."""
        for template in self._made.values():
            self.drop(template)
        if self._administrator is not None:
            self._administrator.close()

    def _config(self, home: Path, template: Config | None = None) -> Config:
        if self._server is None:
            return Config(home=home)
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        source = (
            f' TEMPLATE "{make_url(template.database_url).database}" STRATEGY FILE_COPY' if template else ""
        )
        self._administer(f'CREATE DATABASE "{name}"{source}')
        return Config(home=home, database_url=_plain(self._server.set(database=name)))

    def _administer(self, statement: str) -> None:
        assert self._server is not None
        if self._administrator is None or self._administrator.closed:
            self._administrator = psycopg.connect(_plain(self._server), autocommit=True)
        self._administrator.execute(statement.encode())


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _initialise(config: Config) -> None:
    installation = Installation(config)
    installation.create_workspace(WORKSPACE, Settings(title="Acme"))
    installation.close()
