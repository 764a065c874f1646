"""Whatever a program sends, the server keeps what its OpenAPI document says: schemathesis over each edition.

    uv run python -m bench.fuzz --requests 20000 --database postgresql

Each call of the document gets its share of requests, good and bad ones, and each answer goes through all checks of
schemathesis. ``--edition`` takes one edition alone; ``--seed`` draws the same requests again. Prints what was found, once for
each kind and call; ends with 1 when there was anything.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import hypothesis
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from trellis import enabling
from trellis.edition import Settings
from trellis.installation import Installation
from trellis.rest.calls import LARGEST_ID
from trellis.security.identities import add_user
from trellis.security.tokens import new_token
from trellis.web.app import create_app
from trellis.workspace import Workspace

from bench.setting import installed

EDITIONS = {
    "core": (),
    "retail": ("retail",),
    "banking": ("banking",),
    "b2b": ("b2b",),
    "all": ("retail", "banking", "b2b"),
}
SUBJECTS = 3
"""Records of each of these entities are there before, so that ids lead somewhere."""
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
REFUSED = [400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 428, 429]
"""How bad requests are refused. Good ones may be as well, where the document cannot say what is there to refer to."""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=20_000, help="over all editions")
    parser.add_argument("--edition", choices=EDITIONS, action="append")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    editions = asked.edition or list(EDITIONS)
    print(f"{asked.requests} requests on {asked.database}, seed {asked.seed}", flush=True)
    found: Counter[str] = Counter()
    with installed(asked.database) as (installation, _workspace):
        for name in editions:
            fuzz = Fuzz(installation, _edition(installation, name), asked.seed)
            found += fuzz.done(asked.requests // len(editions))
    return 1 if found else 0


def _edition(installation: Installation, name: str) -> Workspace:
    workspace = installation.create_workspace(f"edition-{name}", Settings(title=name))
    for plugin in EDITIONS[name]:
        enabling.enable(workspace, plugin)
    return workspace


class Fuzz:
    """The document of one edition."""

    def __init__(self, installation: Installation, workspace: Workspace, seed: int) -> None:
        self._installation, self._workspace = installation, workspace
        self._seed = seed
        self._people = itertools.count(1)
        self._headers: dict[str, str] = {}
        self._statuses: Counter[int] = Counter()
        self._app = self._counted(create_app(installation))
        self._found: Counter[str] = Counter()

    def done(self, requests: int) -> Counter[str]:
        """Sends so many requests or somewhat more; what was found, and how often."""
        began = time.monotonic()
        self._let_in()
        self._furnish()
        place = f"/api/v1/{self._workspace.name}/openapi.json"
        schema = schemathesis.openapi.from_wsgi(place, app=self._app, headers=self._headers)
        checks: Any = schema.config.checks
        checks.update(included_check_names=None)
        checks.positive_data_acceptance.expected_statuses = ["2xx", *map(str, REFUSED)]
        checks.negative_data_rejection.expected_statuses = list(map(str, REFUSED))
        schema.hook("map_path_parameters")(_near)
        schema.hook("filter_query")(_is_sent)
        operations = [one.ok() for one in schema.get_all_operations()]
        share = max(1, -(-requests // (len(operations) * len(MODES))))
        for operation in operations:
            for mode in MODES:
                self._let_in()
                self._ask(operation, mode, share)
        answers = ", ".join(f"{status}: {number}" for status, number in sorted(self._statuses.items()))
        print(
            f"{self._workspace.name}: {len(operations)} calls, {self._statuses.total()} requests in "
            f"{time.monotonic() - began:.0f} s ({answers}), {len(self._found)} findings",
            flush=True,
        )
        return self._found

    def _ask(self, operation: Any, mode: GenerationMode, share: int) -> None:
        @hypothesis.seed(self._seed)
        @hypothesis.settings(
            max_examples=share,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            try:
                case.call_and_validate(headers=self._headers)
            except FailureGroup as group:
                self._note(operation.label, group.exceptions)
            except Failure as failure:
                self._note(operation.label, [failure])

        try:
            ask()
        except hypothesis.errors.Unsatisfiable:  # nothing there can be wrong
            return

    def _note(self, label: str, failures: Iterable[Any]) -> None:
        for failure in failures:
            message = str(getattr(failure, "message", "") or failure).strip().replace("\n", " ")[:300]
            finding = f"{label}: {getattr(failure, 'title', type(failure).__name__)}: {message}"
            if not self._found[finding]:
                print(f"  {finding}", flush=True)
            self._found[finding] += 1

    def _let_in(self) -> None:
        """Makes a new administrator where the calls have locked the former one out."""
        client = self._app.test_client()
        if client.get(f"/api/v1/{self._workspace.name}/plugins", headers=self._headers).status_code == 200:
            return
        email = f"fuzz{next(self._people)}@example.com"
        add_user(self._installation, self._workspace, email, "Fuzz", ["administrator"])
        self._headers["Authorization"] = f"Bearer {new_token(self._workspace, email, 'fuzz')}"

    def _furnish(self) -> None:
        client = self._app.test_client()
        base = f"/api/v1/{self._workspace.name}"
        for number in range(SUBJECTS):
            made = client.post(f"{base}/customer", json={"name": f"Customer {number}"}, headers=self._headers)
            given = {"name": f"Deal {number}", "customer": made.get_json()["id"]}
            client.post(f"{base}/opportunity", json=given, headers=self._headers)

    def _counted(self, app: Flask) -> Flask:
        inner: Callable[..., Any] = app.wsgi_app

        def count(environment: Any, start: Any) -> Any:
            def started(status: str, *rest: Any) -> Any:
                self._statuses[int(status[:3])] += 1
                return start(status, *rest)

            return inner(environment, started)

        app.wsgi_app = count  # type: ignore[method-assign]
        return app


def _near(_context: Any, parameters: Any) -> Any:
    """Ids that mostly lead to one of the first records."""
    record_id = parameters.get("id") if isinstance(parameters, dict) else None
    valid = type(record_id) is int and 0 < record_id <= LARGEST_ID
    return parameters | {"id": record_id % 7 + 1} if valid else parameters


def _is_sent(_context: Any, query: Any) -> bool:
    """An empty list leaves no trace in an address: what would be wrong with it never arrives."""
    return not isinstance(query, dict) or all(value not in ([], {}) for value in query.values())


if __name__ == "__main__":
    sys.exit(main())
