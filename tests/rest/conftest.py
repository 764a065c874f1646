"""A running application, and programs that call it by token."""

from __future__ import annotations

import pytest
from callers import Client, open_client
from flask import Flask
from trellis.installation import Installation
from trellis.web.app import create_app
from trellis.workspace import Workspace


@pytest.fixture
def app(installation: Installation) -> Flask:
    return create_app(installation)


@pytest.fixture
def client(app: Flask, installation: Installation, workspace: Workspace) -> Client:
    """Calls ``/api/v1/acme`` as its administrator."""
    return open_client(app, installation, workspace, "admin@acme.test", ["administrator"])
