"""The production server: gunicorn with threads, one process on SQLite, several on PostgreSQL."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.workers import gthread

from trellis.config import Config

if TYPE_CHECKING:
    from flask import Flask

THREADS = 8
MOST_WORKERS = 4
KEPT_OPEN = 65
"""Seconds that an idle connection stays open: longer than proxies keep theirs (60), so that none sends into one that closes."""
LONGEST_LINE = 8190
"""Addresses of lists carry their filter, so they may be long."""

_ARENAS = -8
"""``M_ARENA_MAX`` of glibc."""
_MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


class Worker(gthread.ThreadWorker):  # type: ignore[misc]
    """Gives a connection a thread when it says something.

    gunicorn gives each new one a thread for five seconds; browsers open some ahead, and eight of these stopped everybody.
    """

    def enqueue_req(self, conn: Any) -> None:
        """Called for a connection that was opened, or has sent something."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
        else:
            silent: Future[object] = Future()
            silent.set_result(gthread._DEFER)
            self.finish_request(conn, silent)


class Server(BaseApplication):  # type: ignore[misc]
    """Runs the application of an installation; each worker opens the databases for itself."""

    def __init__(self, config: Config, options: dict[str, Any], *, works_jobs: bool) -> None:
        self._config = config
        self._works_jobs = works_jobs
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn to learn the settings."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Called by gunicorn in each worker to make the application."""
        from trellis.installation import Installation
        from trellis.job_kinds import JOB_KINDS
        from trellis.jobs import Runner
        from trellis.web.app import create_app

        installation = Installation(self._config)
        if self._works_jobs:
            Runner(installation, JOB_KINDS).start()
        return create_app(installation)


def default_workers(config: Config) -> int:
    """SQLite has one writer, and one process keeps its cache warm; PostgreSQL serves as many as there are processors."""
    return min(os.cpu_count() or 1, MOST_WORKERS) if config.on_postgresql else 1


def serve(
    config: Config,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int | None = None,
    threads: int = THREADS,
    works_jobs: bool = True,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serves until it is told to stop, and does jobs beside it unless workers of their own do them.

    ``ready`` is called once when connections are accepted.
    """
    number = workers or default_workers(config)
    options: dict[str, Any] = {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": number,
        "threads": threads,
        "worker_class": Worker,
        "limit_request_line": LONGEST_LINE,
        "graceful_timeout": 30,
        "timeout": 120,
        "keepalive": KEPT_OPEN,
        "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,
        "logconfig_dict": logging_settings(),
        "control_socket_disable": True,
    }
    if ready is not None:
        options["when_ready"] = lambda _server: ready()
    if number > 1 and not os.environ.get(_MULTIPROCESS):
        os.environ[_MULTIPROCESS] = tempfile.mkdtemp(prefix="trellis-metrics-")
        options["child_exit"] = _forget_metrics
    _share_memory()
    gc.disable()
    import trellis.web.app  # noqa: F401 - imported before the workers are forked, so that they share it

    gc.freeze()  # the code stays: no worker looks through it for garbage, which would also end the sharing
    gc.enable()

    Server(config, options, works_jobs=works_jobs).run()


def _share_memory() -> None:
    """Lets all threads take memory from the same two arenas. glibc would give each thread one, and little of it comes back."""
    with suppress(OSError, AttributeError):  # another library of C, which knows no arenas
        ctypes.CDLL(None).mallopt(_ARENAS, 2)


def logging_settings() -> dict[str, Any]:
    """Log lines: readable on a terminal, JSON elsewhere."""
    import structlog

    terminal = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    steps: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not terminal:
        steps.append(structlog.processors.format_exc_info)
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": steps,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": "WARNING", "handlers": [], "propagate": True},
            "gunicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
            "alembic": {"level": "WARNING"},
        },
    }


def _forget_metrics(_server: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
