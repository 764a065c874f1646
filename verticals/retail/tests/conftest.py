"""A workspace with retail enabled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from shop import Shop
from trellis import enabling
from trellis.workspace import Workspace


@pytest.fixture
def shop(workspace: Workspace) -> Iterator[Shop]:
    """A shop in the workspace ``acme``, in one writing transaction."""
    enabling.enable(workspace, "retail")
    with workspace.write() as session:
        yield Shop(session, workspace.edition(session))
