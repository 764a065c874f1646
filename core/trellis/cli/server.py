"""``trellis serve``, ``trellis worker`` and ``trellis doctor``."""

from __future__ import annotations

import click

from trellis.cli.output import as_json, opened, print_json
from trellis.config import Config
from trellis.errors import Conflict
from trellis.health import examine


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
        examined = examine(installation, [entry.name for entry in installation.workspaces()])
    findings = [one for check in examined for one in check.findings]
    problems = [str(one) for one in findings if not one.notice]
    notices = [str(one) for one in findings if one.notice]
    if json_:
        checks = {check.name: [str(one) for one in check.problems] for check in examined}
        print_json({"problems": problems, "notices": notices, "checks": checks})
    else:
        for line in (*problems, *notices):
            click.echo(f"- {line}")
    if problems:
        raise Conflict(f"{len(problems)} to mend")
    if not json_:
        click.echo("everything is in order")
