from __future__ import annotations

import pytest
from office import Office
from running import World
from samples import registry
from trellis.composing import compose
from trellis.crm import register
from trellis.edition import Edition, Settings
from trellis.installation import Installation
from trellis.workspace import Workspace


@pytest.fixture
def world(installation: Installation, workspace: Workspace) -> World:
    made = World(installation, workspace)
    made.user("officer@acme.test", "manager")
    made.user("head@acme.test", "manager")
    return made


@pytest.fixture
def office(installation: Installation, workspace: Workspace) -> Office:
    return Office(installation, workspace)


@pytest.fixture(scope="session")
def edition() -> Edition:
    """What the core brings, without a workspace."""
    plugins = registry()
    register(plugins)
    return compose(workspace="x", revision=1, settings=Settings(), manifests=(), hooks=plugins.hooks([]))
