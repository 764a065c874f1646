"""A program that calls the REST face of a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from trellis.installation import Installation
from trellis.security.identities import add_user
from trellis.security.tokens import new_token
from trellis.workspace import Workspace
from werkzeug.test import TestResponse


@dataclass
class Client:
    """Calls by token; paths are relative to ``/api/v1/<workspace>``."""

    http: FlaskClient
    base: str
    token: str
    user_id: int

    def __call__(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return self.http.open(f"{self.base}{path}", method=method, headers=sent, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self("POST", path, json=body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> TestResponse:
        return self("PATCH", path, json=body, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self("DELETE", path, **options)

    def create(self, entity: str, **values: Any) -> int:
        """Creates a record and returns its id."""
        response = self.post(f"/{entity}", values)
        assert response.status_code == 201, response.text
        return int(response.json["id"])  # type: ignore[index]


def open_client(
    app: Flask, installation: Installation, workspace: Workspace, email: str, roles: Sequence[str]
) -> Client:
    """A client for a new user with these roles."""
    user_id = add_user(installation, workspace, email, email.partition("@")[0].title(), roles)
    token = new_token(workspace, email, "test")
    return Client(app.test_client(), f"/api/v1/{workspace.name}", token, user_id)
