"""What holds for all tests."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator, Iterator
from types import CodeType

import jinja2
import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2.bccache import Bucket
from posting import Box, open_post
from trellis.security import passwords


def pytest_configure(config: pytest.Config) -> None:
    """Where Python is told to keep nothing that it has compiled (images of containers do so), the tests keep it in a place of
    their own: each of their processes would compile everything anew, which takes longer than most tests."""
    if sys.dont_write_bytecode:
        sys.dont_write_bytecode = False
        sys.pycache_prefix = str(config.rootpath / ".pytest_cache" / "compiled")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix


def pytest_collection() -> None:
    """What is imported stays: while nothing else happens, to look for garbage in it again and again takes a third of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What was imported need not be looked through again after each application."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One worker more than there are processors: a third of the time, each waits for a browser, a server or a database."""
    return (yield) + 1


@pytest.fixture(autouse=True, scope="session")
def _quick_hashes() -> Iterator[None]:
    """Hashing a password is slow on purpose; here it is done thousands of times, and nobody guesses."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: quick)
        yield


class Compiled(jinja2.BytecodeCache):
    """Keeps compiled templates in memory."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._codes[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(autouse=True, scope="session")
def _templates_compiled_once() -> Iterator[None]:
    """A server compiles a template once; here hundreds of applications show the same pages."""
    compiled, make = Compiled(), Flask.create_jinja_environment

    def make_with(app: Flask) -> jinja2.Environment:
        environment = make(app)
        environment.bytecode_cache = compiled
        return environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "create_jinja_environment", make_with)
        yield


@pytest.fixture
def post_office() -> Iterator[tuple[str, Box]]:
    """The address of a mail server, and what it has taken."""
    with open_post() as opened:
        yield opened
