"""The command line: exit status, one-line reasons, JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trellis
from click.testing import CliRunner, Result
from trellis.cli import COMMANDS, main
from trellis.config import Config
from trellis.installation import Installation
from trellis.scripts.content import starter
from trellis.settings.fields import add_field


class Shell:
    """Runs ``trellis`` on one installation, in this process: starting one for each command takes most of the time."""

    def __init__(self, config: Config) -> None:
        self.environment = {
            "TRELLIS_HOME": str(config.home),
            "TRELLIS_DATABASE_URL": config.database_url,
            "LANG": "en_US.UTF-8",
        }

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env=self.environment, prog_name="trellis")

    def ok(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.ok(*arguments, "--json"))

    def refused(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.exit_code == 1, (done.exit_code, done.stdout, done.stderr)
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture
def shell(config: Config) -> Shell:
    return Shell(config)


def test_a_workspace_lives_and_dies(shell: Shell) -> None:
    shell.ok("workspace", "create", "shop", "--title", "Shop", "--currency", "USD", "--locale", "ru")
    assert [row["name"] for row in shell.json("workspace", "list")] == ["acme", "shop"]
    info = shell.json("workspace", "info", "shop")
    assert (info["settings"]["currency"], info["settings"]["language"], info["behind"]) == ("USD", "ru", [])
    assert "up to date" in shell.ok("workspace", "upgrade", "--all")
    assert "--yes" in shell.refused("workspace", "delete", "shop")
    shell.ok("workspace", "delete", "shop", "--yes")
    assert "no workspace" in shell.refused("workspace", "info", "shop")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("workspace", "create", "Shop"), "small latin letters"),
        (("workspace", "create", "api"), "an address of Trellis itself"),
        (("workspace", "create", "shop", "--currency", "EURO"), "currency"),
        (("export", "acme", "customer", "/no/such/folder/c.csv"), "/no/such/folder"),
        (("plugin", "enable", "acme", "nothing"), "not installed"),
        (("import", "acme", "customer", "x.csv"), "no file"),
        (("import", "acme", "nothing", "x.csv"), "no entity"),
        (("kpi", "acme", "nothing"), "no KPI"),
        (("kpi", "acme", "--period", "20266"), "not a period"),
        (("user", "add", "acme", "eva@acme.test", "--role", "king"), "king"),
        (("export", "acme", "customer", "x.csv", "--filter", "{"), "JSON"),
    ],
)
def test_what_is_refused_says_why_in_one_line(shell: Shell, arguments: tuple[str, ...], reason: str) -> None:
    assert reason in shell.refused(*arguments)


def test_the_command_ends_with_its_status_and_reason(config: Config) -> None:
    environment = {
        **os.environ,
        "TRELLIS_HOME": str(config.home),
        "TRELLIS_DATABASE_URL": config.database_url,
    }
    command = [sys.executable, "-m", "trellis", "workspace", "info", "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)


def test_wrong_usage_ends_with_2(shell: Shell) -> None:
    assert shell.run("workspace", "create").exit_code == 2
    assert shell.run("nonsense").exit_code == 2


def test_records_go_in_and_out(shell: Shell, tmp_path: Path) -> None:
    source = tmp_path / "c.csv"
    source.write_text("external_id,name,city\n1,Anna,Brno\n2,Boris,Wien\n3,,Graz\n")
    told = shell.json("import", "acme", "customer", str(source), "--errors", str(tmp_path / "errors.csv"))
    assert (told["created"], told["rejected"]) == (2, 1)
    rule = json.dumps({"field": "city", "op": "eq", "value": "Wien"})
    target = tmp_path / "out.csv"
    shell.ok("export", "acme", "customer", str(target), "--filter", rule, "--fields", "name,city")
    assert target.read_text().split() == ["name,city", "Boris,Wien"]


def test_scripts_come_in_are_put_to_use_and_go_out(shell: Shell, tmp_path: Path) -> None:
    file, content = tmp_path / "script.json", starter("Mine")
    file.write_text(json.dumps(content))
    assert shell.json("script", "list", "acme") == []
    made = shell.json("script", "import", "acme", str(file))
    assert (made["script"], made["state"], made["version"]) == ("own.script_1", "draft", None)
    assert shell.json("script", "publish", "acme", made["script"])["version"] == 1
    anew = {**content, "title": "Mine anew"}
    file.write_text(json.dumps(anew))
    again = shell.json("script", "import", "acme", str(file), "--script", made["script"], "--publish")
    assert (again["title"], again["version"]) == ("Mine anew", 2)
    assert "Mine anew" in shell.ok("script", "list", "acme")
    shell.ok("script", "export", "acme", made["script"], str(file))
    assert json.loads(file.read_text()) == anew
    for wrong, told in (("no json", "draft"), ("[]", "draft"), (json.dumps({"steps": 3}), "steps")):
        file.write_text(wrong)
        assert told in shell.refused("script", "import", "acme", str(file))
    file.write_text(json.dumps({**content, "steps": []}))
    shell.ok("script", "import", "acme", str(file), "--script", made["script"])
    shell.refused("script", "publish", "acme", made["script"])
    assert "no script" in shell.refused("script", "publish", "acme", "retail.visit")
    shell.refused("script", "import", "acme", str(file), "--replaces", "retail.visit")


def test_figures_have_the_forms_of_the_contract(shell: Shell) -> None:
    kpi = shell.json("kpi", "acme", "revenue", "--period", "2026-10", "--by", "channel")
    assert {
        "kpi",
        "title",
        "unit",
        "period",
        "value",
        "target",
        "deviation",
        "previous",
        "breakdown",
    } <= kpi.keys()
    assert shell.json("segment", "acme") == []
    pyramid = shell.json("analytics", "acme", "pyramid", "--period", "2026")
    assert [tier["tier"] for tier in pyramid["tiers"]] == ["top", "large", "medium", "small"]
    rfm = shell.json("analytics", "acme", "rfm", "--as-of", "2026-10-31", "--customers")
    assert {"as_of", "customers", "scores", "cells"} <= rfm.keys()
    assert "repeat_rate" in shell.json("analytics", "acme", "loyalty", "--period", "2026")


def test_rates_that_come_after_the_orders_count_in_all_figures(shell: Shell, tmp_path: Path) -> None:
    def given(entity: str, key: str, *rows: str) -> None:
        file = tmp_path / f"{entity}.csv"
        file.write_text("\n".join(rows))
        shell.ok("import", "acme", entity, str(file), "--key", key)

    def revenue() -> tuple[str, str]:
        pyramid = shell.json("analytics", "acme", "pyramid", "--period", "2026", "--measure", "revenue")
        return shell.json("kpi", "acme", "revenue", "--period", "2026")["value"], pyramid["tiers"][0][
            "amount"
        ]

    given("customer", "external_id", "external_id,name", "C1,Anna")
    given("order", "number", "number,customer,ordered_at,amount,currency", "R1,C1,2026-03-01,100,USD")
    given("exchange_rate", "key", "key,currency,since,rate", "USD/2026-01-01,USD,2026-01-01,0.5")
    pyramid = shell.json("analytics", "acme", "pyramid", "--period", "2026", "--measure", "revenue")
    assert pyramid["tiers"][0]["amount"] == "50.00"
    assert revenue() == ("50.00", "50.00")
    given("exchange_rate", "key", "key,currency,since,rate", "USD/2026-01-01,USD,2026-01-01,0.8")
    assert revenue() == ("80.00", "80.00")


def test_closed_periods_are_kept_and_recounts_accepted(shell: Shell) -> None:
    first = shell.json("kpi", "acme", "orders", "--snapshot")
    assert (first["reported"] > 0, first["recounted"]) == (True, 0)
    assert shell.json("kpi", "acme", "orders", "--snapshot") == {"reported": 0, "recounted": 0}
    assert "as it was reported" in shell.refused("kpi", "acme", "orders", "--accept", "--period", "2026-01")
    assert shell.run("kpi", "acme", "--accept").exit_code == 2


def test_people_sign_in_with_what_was_set(shell: Shell) -> None:
    shell.ok(
        "user",
        "add",
        "acme",
        "eva@acme.test",
        "--role",
        "agent",
        "--name",
        "Eva",
        "--password",
        "correct horse",
    )
    assert [row["email"] for row in shell.json("user", "list", "acme")] == ["eva@acme.test"]
    assert shell.ok("user", "token", "acme", "eva@acme.test").startswith("trl_")
    shell.ok("user", "unlock", "acme", "eva@acme.test")
    shell.ok("user", "rename", "acme", "eva@acme.test", "ewa@acme.test")
    assert [row["email"] for row in shell.json("user", "list", "acme")] == ["ewa@acme.test"]
    assert "no user" in shell.refused("user", "unlock", "acme", "eva@acme.test")


def test_help_is_there_without_the_code_of_the_commands(shell: Shell) -> None:
    shown = " ".join(shell.ok("--help").split())
    for name, command in main.all_commands.items():
        summary = COMMANDS[name][1]
        assert " ".join((command.help or "").split()).startswith(summary) and summary in shown, name
    code = (
        "import sys; from trellis.cli import main; main(['--help'], standalone_mode=False); "
        "sys.exit('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_found_when_it_is_used() -> None:
    assert sorted(trellis.__all__) == sorted(trellis._HOME_OF)
    assert all(getattr(trellis, name) is not None for name in trellis.__all__)
    first = [sys.executable, "-c", "from trellis import types; types.Text"]  # with nothing imported before it
    assert subprocess.run(first, check=False).returncode == 0


def test_the_doctor_finds_nothing_in_a_sound_installation(shell: Shell) -> None:
    assert "in order" in shell.ok("doctor")


def test_a_demo_that_was_killed_is_made_anew_and_a_whole_one_is_kept(
    config: Config, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trellis.cli import demo

    everything = demo._demos
    monkeypatch.setattr(
        demo, "_demos", lambda found: [one for one in everything(found) if one[0] == "retail"]
    )
    monkeypatch.setattr(demo, "SIZES", {"small": 20})
    shell.ok("workspace", "create", "retail")  # as far as a killed run may have come
    for title in ("made", "kept"):
        shell.ok("demo", "--no-serve")
        assert shell.json("plugin", "list", "retail"), title
        customers = shell.ok("export", "retail", "customer", str(config.home.parent / f"{title}.csv"))
        assert "20" in customers
    made, kept = (config.home.parent / f"{title}.csv" for title in ("made", "kept"))
    assert made.read_text() == kept.read_text()


def test_a_new_vertical_passes_the_checks_and_carries_the_fields_of_a_workspace(
    shell: Shell, config: Config, tmp_path: Path
) -> None:
    installation = Installation(config)
    workspace = installation.workspace("acme")
    with workspace.write() as session:
        edition = workspace.edition(session)
        choice = {"type": "choice", "label": "Tea's size", "options": ["S", "M"], "in_list": True}
        add_field(session, edition, "customer", "size", choice)
    installation.close()
    folder = tmp_path / "package"
    shell.ok("new", "vertical", "tea_house", "--dir", str(folder), "--from-workspace", "acme")
    assert "all checks pass" in shell.ok("plugin", "check", str(folder))
    assert "tea_house.size" in (folder / "trellis_tea_house" / "fields.py").read_text()
    assert "not empty" in shell.refused("new", "vertical", "tea_house", "--dir", str(folder))
    assert "small latin letters" in shell.refused("new", "vertical", "Tea House")
