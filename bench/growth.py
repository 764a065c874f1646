"""How lists, one record and searches grow with the number of records: a large workspace against a small one, one server for both.

Each filter and each word finds as many records in both, or all of them: what grows is what they are found among.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from urllib.parse import urlencode

from trellis.workspace import Workspace

from bench.by_hand import PAGE
from bench.lists import LISTED, cursor_after, last_before, report, token_of
from bench.serving import Client, trellis_served
from bench.setting import CITIES, fill_customers, fresh_workspace, installed


def paths(client: Client, workspace: Workspace, size: int) -> dict[str, str]:
    """What is asked in a workspace of ``size`` customers."""
    number = size // 2 + 7
    person = {"kind": "person"}
    asked: dict[str, dict[str, str]] = {
        "all, by name": {},
        "filter on a column": {"city": "City 7"},
        "filter on an indexed extension field": {"retail.card_number": "70"},
        "text: a rare word": {"q": f"c{number}"},
        "text: a common word": {"q": "customer"},
        "filter on a column, half way": person
        | {"cursor": cursor_after(client, person, last_before(workspace, size // PAGE // 2), workspace.name)},
    }
    place = f"/api/v1/{workspace.name}/customer"
    found = {title: f"{place}?{urlencode(LISTED | filters)}" for title, filters in asked.items()}
    return found | {"one record": f"{place}/{number}"}


def main() -> None:
    """Prints a line a case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=5_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=300)
    given = parser.parse_args()
    with ExitStack() as stack:
        installation, small = stack.enter_context(installed(given.database))
        large = fresh_workspace(installation, "large")
        tokens = {}
        for workspace, size in ((small, given.small), (large, given.large)):
            fill_customers(workspace, size, cards=max(size // PAGE, CITIES))
            tokens[workspace.name] = token_of(installation, workspace)
        port = stack.enter_context(trellis_served(installation, 1))
        near, far = (
            Client(port, {"Authorization": f"Bearer {tokens[name]}"}) for name in (small.name, large.name)
        )
        print(f"{given.database}, {given.large} against {given.small} customers, {given.rounds} rounds")
        mine, other = paths(far, large, given.large), paths(near, small, given.small)
        for title, path in mine.items():
            report(
                title,
                lambda path=path: far.get(path),
                lambda title=title: near.get(other[title]),
                given.rounds,
            )


if __name__ == "__main__":
    main()
