"""Wheels of every package, installed in an empty environment outside the checkout, make a working server."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

CHECKOUT = Path(__file__).parents[2]
LONGEST_START = 60

pytestmark = pytest.mark.slow


def uv(*arguments: str, cwd: Path = CHECKOUT) -> None:
    """Runs uv, as someone would who has no project here."""
    command = os.environ.get("UV") or shutil.which("uv")
    if command is None:
        pytest.skip("no uv: `pip install uv`")
    subprocess.run(
        [command, *arguments], cwd=cwd, check=True, env=bare_environment(), capture_output=True, text=True
    )


def bare_environment(**more: str) -> dict[str, str]:
    """The environment less what points at the checkout and its installation."""
    ours = ("VIRTUAL_ENV", "PYTHONPATH", "TRELLIS_HOME", "TRELLIS_DATABASE_URL")
    return {name: value for name, value in os.environ.items() if name not in ours} | more


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A wheel of each package, each built from its sdist."""
    folder = tmp_path_factory.mktemp("wheels")
    uv("build", "--all-packages", "--out-dir", str(folder))
    return sorted(folder.glob("*.whl"))


@dataclass(frozen=True, kw_only=True)
class Installed:
    """An environment with the wheels and nothing else, and an empty folder to work in."""

    programs: Path
    folder: Path

    def environment(self) -> dict[str, str]:
        return bare_environment(TRELLIS_HOME=str(self.folder / "data"))

    def run(self, program: str, *arguments: str) -> str:
        command = [str(self.programs / program), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("elsewhere")
    pins = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["uv"]["constraint-dependencies"]
    (folder / "pins.txt").write_text("\n".join(pins))
    uv("venv", "environment", cwd=folder)
    programs = folder / "environment" / "bin"
    paths = [str(wheel) for wheel in wheels]
    uv("pip", "install", "--python", str(programs / "python"), "-c", "pins.txt", *paths, cwd=folder)
    return Installed(programs=programs, folder=folder)


@pytest.fixture(scope="module")
def workspace_with_retail(installed: Installed) -> Installed:
    installed.run("trellis", "workspace", "create", "shop", "--title", "Corner shop")
    installed.run("trellis", "plugin", "enable", "shop", "retail")
    return installed


@pytest.fixture(scope="module")
def address(workspace_with_retail: Installed) -> Iterator[str]:
    """The address of a server that the installed program runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [str(workspace_with_retail.programs / "trellis"), "serve", "--port", port]
    log = workspace_with_retail.folder / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            cwd=workspace_with_retail.folder,
            env=workspace_with_retail.environment(),
            stdout=output,
            stderr=output,
        )
        try:
            wait_until_up(f"http://127.0.0.1:{port}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def wait_until_up(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(LONGEST_START * 5):
        try:
            assert fetch(f"{address}/healthz")[0] == 200
            return
        except URLError:
            try:
                server.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
            break
    pytest.fail(f"the server did not come up:\n{log.read_text()}")


def fetch(address: str, **headers: str) -> tuple[int, str]:
    with urlopen(Request(address, headers=headers), timeout=30) as answer:
        return answer.status, answer.read().decode()


def test_each_package_has_a_wheel(wheels: list[Path]) -> None:
    members = [*CHECKOUT.glob("plugins/*/pyproject.toml"), *CHECKOUT.glob("verticals/*/pyproject.toml")]
    projects = [
        tomllib.loads(path.read_text())["project"] for path in [CHECKOUT / "pyproject.toml", *members]
    ]
    expected = sorted(f"{project['name'].replace('-', '_')}-{project['version']}" for project in projects)
    assert [wheel.name.removesuffix("-py3-none-any.whl") for wheel in wheels] == expected


def test_the_wheel_of_the_core_is_complete_and_holds_nothing_else(wheels: list[Path]) -> None:
    core = next(wheel for wheel in wheels if wheel.name.startswith("trellis_crm-"))
    names = set(zipfile.ZipFile(core).namelist())
    vendor = "trellis/web/static/vendor"
    assert names >= {
        "trellis/py.typed",
        "trellis/migrations/env.py",
        f"{vendor}/.stamp",
        f"{vendor}/htmx.min.js",
        f"{vendor}/licenses/echarts.txt",
    }
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"trellis"}


def test_the_environment_uses_nothing_of_the_checkout(installed: Installed) -> None:
    where = "import trellis, trellis_retail; print(trellis.__file__, trellis_retail.__file__)"
    paths = installed.run("python", "-c", where).split()
    assert all(Path(path).is_relative_to(installed.folder) for path in paths)


def test_an_installed_server_shows_the_workspace_it_created(address: str) -> None:
    status, page = fetch(f"{address}/shop/login")
    assert status == 200
    assert "Corner shop" in page
    script = re.search(r'src="([^"]*htmx\.min\.js[^"]*)"', page)
    assert script is not None
    assert fetch(address + script[1])[0] == 200


def test_connections_that_say_nothing_keep_nobody_waiting(address: str) -> None:
    """Browsers open some ahead. Were each given a thread for its five seconds, an answer would come after forty."""
    place = urlsplit(address)
    with ExitStack() as silent:
        for _ in range(64):
            silent.enter_context(socket.create_connection((place.hostname, place.port)))
        assert fetch(f"{address}/healthz")[0] == 200


def test_an_installed_server_answers_with_the_entities_of_its_vertical(
    address: str, workspace_with_retail: Installed
) -> None:
    person = "owner@shop.test"
    workspace_with_retail.run(
        "trellis", "user", "add", "shop", person, "--role", "administrator", "--password", "corner-shop-1"
    )
    token = workspace_with_retail.run("trellis", "user", "token", "shop", person).strip()
    status, answer = fetch(f"{address}/api/v1/shop/entities", Authorization=f"Bearer {token}")
    assert status == 200
    assert '"retail.store"' in answer
