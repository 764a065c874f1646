"""``trellis serve``, ``trellis worker`` and ``trellis doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

import click

from trellis.cli.output import as_json, opened, print_json
from trellis.config import Config
from trellis.errors import Conflict, TrellisError
from trellis.installation import Installation


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8000, show_default=True, help="The port.")
@click.option(
    "--workers", type=click.IntRange(1), help="Processes; one on SQLite, one a processor on PostgreSQL."
)
@click.option("--no-jobs", is_flag=True, help="Leave background work to `trellis worker`.")
def serve(host: str, port: int, workers: int | None, no_jobs: bool) -> None:
    """Serves all workspaces."""
    from trellis import serve as server

    with opened():
        pass  # opening migrates the control database before the workers start
    address = f"http://{host}:{port}/"
    server.serve(
        Config.from_environment(),
        host=host,
        port=port,
        workers=workers,
        works_jobs=not no_jobs,
        ready=lambda: click.echo(f"Trellis is at {address}"),
    )


@click.command()
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True, help="Jobs at a time.")
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
def worker(threads: int, once: bool) -> None:
    """Does background jobs: imports, exports, backups, mail."""
    import logging.config
    import signal

    from trellis.job_kinds import JOB_KINDS
    from trellis.jobs import Runner
    from trellis.serve import logging_settings

    logging.config.dictConfig(logging_settings())
    with opened() as installation:
        runner = Runner(installation, JOB_KINDS, threads)
        if once:
            click.echo(f"{runner.drain()} jobs done")
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: runner.stop())
        click.echo(f"waiting for jobs, {threads} at a time")
        runner.run()


@click.command()
@as_json
def doctor(json_: bool) -> None:
    """Looks at the installation and says what to do."""
    with opened() as installation:
        problems = list(_problems(installation))
    if json_:
        print_json({"problems": problems})
    else:
        for problem in problems:
            click.echo(f"- {problem}")
    if problems:
        raise Conflict(f"{len(problems)} to mend")
    if not json_:
        click.echo("everything is in order")


def _problems(installation: Installation) -> Iterator[str]:
    if not (files("trellis") / "web" / "static" / "vendor" / "htmx.min.js").is_file():
        yield "the front-end files are missing; run `uv sync --reinstall-package trellis-crm`"
    for name in installation.plugins.names():
        try:
            installation.plugins.load(name)
        except TrellisError as error:
            yield f"{error}; mend or remove the package"
    for entry in installation.workspaces():
        try:
            workspace = installation.workspace(entry.name)
            behind = workspace.behind()
            if behind:
                yield f"{entry.name}: tables of {', '.join(behind)} are old; run `trellis workspace upgrade {entry.name}`"
                continue
            with workspace.read() as session:
                faults = workspace.edition(session).faults
            for fault in faults:
                yield f"{entry.name}: {fault.error()}; see `trellis plugin list {entry.name}`"
        except TrellisError as error:
            yield f"{entry.name}: {error}"
