"""What plugins cost: the start of a server with 300 installed and three enabled, and a request under three enabled verticals.

The start is that of a process until it has answered its first request, against one with no plugin more than ours, none enabled.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from trellis import enabling
from trellis.edition import Settings
from trellis.installation import Installation

from bench.lists import LISTED, report, token_of
from bench.serving import Client, trellis_served
from bench.setting import fill_customers, installed

INSTALLED = 300
VERTICALS = ("retail", "banking", "b2b")
_PLUGIN = """import trellis

manifest = trellis.Manifest("{name}", "Plugin", "1.0", "capability", core=">=0")
_ = trellis.translator("{name}")


@trellis.hookimpl
def trellis_fields():
    return [trellis.Field(name="{name}.note", entity="customer", type=trellis.types.Text(), label=_("Note"))]
"""
_START = """
import sys
from trellis.config import Config
from trellis.installation import Installation
from trellis.web.app import create_app

installation = Installation(Config.from_environment())
assert len(installation.plugins.names()) >= int(sys.argv[3])
client = create_app(installation).test_client()
answer = client.get(f"/api/v1/{sys.argv[1]}/customer?limit=1", headers={"Authorization": f"Bearer {sys.argv[2]}"})
assert answer.status_code == 200, answer.text
"""


def make_plugins(folder: Path) -> None:
    """Distributions with one field each, to be put on the path."""
    for number in range(INSTALLED):
        name = f"bench{number}"
        (folder / f"{name}.py").write_text(_PLUGIN.format(name=name))
        about = folder / f"{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[trellis.plugins]\n{name} = {name}\n")


def starting(
    installation: Installation, workspace: str, token: str, known: int, folder: Path | None
) -> Callable[[], object]:
    """Starts a process that answers one request."""
    path = os.pathsep.join(filter(None, [str(folder or ""), os.environ.get("PYTHONPATH", "")]))
    config = installation.config
    set_ = {"TRELLIS_HOME": str(config.home), "TRELLIS_DATABASE_URL": config.database_url, "PYTHONPATH": path}
    command = [sys.executable, "-c", _START, workspace, token, str(known)]
    return lambda: subprocess.run(command, env=os.environ | set_, check=True)


def main() -> None:
    """Prints a line a case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--starts", type=int, default=7)
    given = parser.parse_args()
    with installed(given.database) as (installation, three), tempfile.TemporaryDirectory() as made:
        make_plugins(Path(made))
        bare = installation.create_workspace("bare", Settings(title="bare"))
        for name in VERTICALS[1:]:
            enabling.enable(three, name)
        tokens = {}
        for workspace in (three, bare):
            tokens[workspace.name] = token_of(installation, workspace)
            fill_customers(workspace, given.size)
        print(f"{given.database}, {INSTALLED} plugins, {given.size} customers", flush=True)
        report(
            f"start with {INSTALLED} installed, three enabled",
            starting(installation, three.name, tokens[three.name], INSTALLED, Path(made)),
            starting(installation, bare.name, tokens[bare.name], 0, None),
            given.starts,
        )
        with trellis_served(installation, 1) as port:
            asked = urlencode(LISTED | {"city": "City 7"})
            clients = [Client(port, {"Authorization": f"Bearer {tokens[one.name]}"}) for one in (three, bare)]
            paths = [f"/api/v1/{one.name}/customer?{asked}" for one in (three, bare)]
            report(
                "request under three verticals",
                lambda: clients[0].get(paths[0]),
                lambda: clients[1].get(paths[1]),
                given.rounds,
            )


if __name__ == "__main__":
    main()
