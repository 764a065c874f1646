"""The command line: ``trellis``. Commands are imported when they are asked for, so that help is there at once."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

COMMANDS = {
    "demo": (
        "trellis.cli.demo:demo",
        "Creates a workspace with demo data for each installed industry, and serves them.",
    ),
    "serve": ("trellis.cli.server:serve", "Serves all workspaces."),
    "worker": ("trellis.cli.server:worker", "Does background jobs: imports, exports, backups, mail."),
    "doctor": ("trellis.cli.server:doctor", "Looks at the installation and says what to do."),
    "workspace": ("trellis.cli.workspaces:workspace", "Workspaces: one organisation each."),
    "plugin": ("trellis.cli.plugins:plugin", "Plugins: verticals and capabilities."),
    "new": ("trellis.cli.new:new", "Begins a package."),
    "user": ("trellis.cli.users:user", "People of a workspace."),
    "import": ("trellis.cli.records:import_", "Imports records from CSV, XLSX or JSON lines"),
    "export": ("trellis.cli.records:export", "Exports records to CSV, XLSX or JSON lines"),
    "script": ("trellis.cli.scripts:script", "Conversation scripts of a workspace."),
    "kpi": ("trellis.cli.figures:kpi", "Values of all KPIs, or of one."),
    "segment": ("trellis.cli.figures:segment", "Sizes of the segments, or the members of one."),
    "analytics": ("trellis.cli.figures:analytics", "The analytics of customer value."),
}
"""Where each command is, and how its help begins: the list of commands is shown without importing them."""


class Commands(click.Group):
    """Finds commands by name, and turns errors into one line on stderr."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _colon, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_place, summary) in COMMANDS.items()])

    @property
    def all_commands(self) -> dict[str, click.Command]:
        """Every command by name."""
        context = click.Context(self)
        found = {name: self.get_command(context, name) for name in COMMANDS}
        return {name: command for name, command in found.items() if command is not None}

    def invoke(self, ctx: click.Context) -> object:
        from trellis.errors import TrellisError
        from trellis.i18n import use_locale

        language = ctx.params.get("lang") or os.environ.get("LANG", "en")[:2]
        try:
            with use_locale(language):
                return super().invoke(ctx)
        except TrellisError as error:
            _refuse(str(error))
        except (click.ClickException, click.exceptions.Exit, click.Abort, SystemExit):
            raise
        except BrokenPipeError:
            sys.exit(0)
        except OSError as error:
            if os.environ.get("TRELLIS_DEBUG") or error.filename is None:
                raise
            _refuse(_missing_folder(error) or f"{error.filename}: {error.strerror}")
        except Exception as error:
            if os.environ.get("TRELLIS_DEBUG"):
                raise
            _refuse(f"{type(error).__name__}: {error} (set TRELLIS_DEBUG=1 to see where)")


def _missing_folder(error: OSError) -> str:
    """What to say of a file that cannot be written because its folder is not there."""
    folder = Path(str(error.filename)).parent
    return "" if folder.is_dir() else f"There is no folder {folder}; make it, or name another"


def _refuse(reason: str) -> NoReturn:
    click.echo(" ".join(reason.split()), err=True)
    sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--lang", type=click.Choice(["en", "ru"]), help="Language of texts; by default that of LANG.")
@click.version_option(package_name="trellis-crm", prog_name="trellis")
def main(lang: str | None) -> None:
    """Trellis: workspaces, plugins, people, records and figures."""
