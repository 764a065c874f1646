"""A workspace with retail enabled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from shop import Shop, open_shop
from trellis.testing.templates import Prepare
from trellis.workspace import Workspace


@pytest.fixture
def prepare() -> Prepare:
    return open_shop


@pytest.fixture
def shop(workspace: Workspace) -> Iterator[Shop]:
    """A shop in the workspace ``acme``, in one writing transaction."""
    with workspace.write() as session:
        yield Shop(session, workspace.edition(session))
