"""System health: one list of checks, shown by ``trellis doctor`` and by the settings.

A check never raises: whatever stands in its way is its finding.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import sqlalchemy as sa

from trellis import mail
from trellis.errors import TrellisError
from trellis.i18n import Text, translator
from trellis.installation import Installation
from trellis.jobs import queue
from trellis.system import PluginFault, PluginState

_ = translator("trellis")

RECENT = timedelta(days=1)
"""A fault of a plugin is told of for so long after it happened last."""
VENDORED = (
    "htmx.min.js",
    "sortable.min.js",
    "tom-select.min.js",
    "echarts.min.js",
    "lucide/sprite.svg",
    "golos-text/golos-text-latin-wght-normal.woff2",
    "golos-text/golos-text-latin-ext-wght-normal.woff2",
    "golos-text/golos-text-cyrillic-wght-normal.woff2",
    "bpmn-js/modeler.min.js",
    "bpmn-js/diagram-js.css",
    "bpmn-js/bpmn-js.css",
    "bpmn-js/css/bpmn.css",
    "bpmn-js/font/bpmn.woff2",
)
"""The front-end files that pages ask for, under ``web/static/vendor``; a test compares them with ``frontend/package.json``."""


@dataclass(frozen=True)
class Finding:
    """What a check found. ``problem`` and ``remedy`` are sentences; ``workspace`` is empty for the whole installation.

    A ``notice`` is worth knowing, and nothing is wrong.
    """

    problem: Text | str
    remedy: Text | str
    workspace: str = ""
    notice: bool = False

    def __str__(self) -> str:
        place = f"{self.workspace}: " if self.workspace else ""
        return f"{place}{self.problem}; {self.remedy}"


@dataclass(frozen=True)
class Examined:
    """A check that was made. ``name`` is for machines, ``title`` for people."""

    name: str
    title: Text
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that somebody has to mend."""
        return tuple(one for one in self.findings if not one.notice)


def examine(installation: Installation, workspaces: Sequence[str]) -> list[Examined]:
    """Makes all checks, of the installation and of these workspaces. Asks the mail server, so it may take some seconds."""
    return [
        Examined(name, title, tuple(check(installation, workspaces)))
        for name, (title, check) in CHECKS.items()
    ]


Check = Callable[[Installation, Sequence[str]], Iterator[Finding]]


def _frontend(installation: Installation, workspaces: Sequence[str]) -> Iterator[Finding]:
    folder = files("trellis") / "web" / "static" / "vendor"
    missing = [name for name in VENDORED if not folder.joinpath(name).is_file()]
    if missing:
        yield Finding(
            _("Front-end files are missing: %(names)s", names=", ".join(missing)),
            _("run `uv sync --reinstall-package trellis-crm`, or install the wheel again"),
        )


def _database(installation: Installation, workspaces: Sequence[str]) -> Iterator[Finding]:
    for name in workspaces:
        try:
            with installation.workspace(name).read() as session:
                session.execute(sa.select(1))
        except (sa.exc.SQLAlchemyError, TrellisError) as error:
            yield Finding(
                _("The database gives no answer (%(error)s)", error=type(error).__name__),
                _("see that it runs and that TRELLIS_HOME and TRELLIS_DATABASE_URL are right"),
                name,
            )


def _migrations(installation: Installation, workspaces: Sequence[str]) -> Iterator[Finding]:
    for name in workspaces:
        try:
            behind = installation.workspace(name).behind()
        except sa.exc.DBAPIError:
            continue  # the check of the database tells of it
        except TrellisError as error:
            yield Finding(str(error), _("install the package again, or purge the plugin"), name)
            continue
        if behind:
            yield Finding(
                _("Tables of %(owners)s are old", owners=", ".join(behind)),
                _("run `trellis workspace upgrade %(name)s`", name=name),
                name,
            )


def _plugins(installation: Installation, workspaces: Sequence[str]) -> Iterator[Finding]:
    for name in installation.plugins.names():
        try:
            installation.plugins.load(name)
        except TrellisError as error:
            yield Finding(str(error), _("mend or remove the package"))
    for name in workspaces:
        try:
            yield from _plugins_of(installation, name)
        except (sa.exc.DBAPIError, TrellisError):
            continue  # the checks of the database and of its tables tell of it


def _plugins_of(installation: Installation, name: str) -> Iterator[Finding]:
    workspace = installation.workspace(name)
    if workspace.behind():
        return
    with workspace.read() as session:
        faults = {(one.plugin, one.hook): one.error() for one in workspace.edition(session).faults}
        quarantined = set(session.scalars(sa.select(PluginState.name).where(PluginState.quarantined)))
        recent = session.execute(
            sa.select(PluginFault.plugin, PluginFault.hook, PluginFault.message)
            .where(PluginFault.last_at > datetime.now(UTC) - RECENT)
            .order_by(PluginFault.plugin, PluginFault.hook)
        ).all()
    for plugin in sorted(quarantined):
        yield Finding(
            _("Plugin “%(plugin)s” is in quarantine", plugin=plugin),
            _("see its errors under Settings, Verticals, mend it, and release it there"),
            name,
        )
    remedy = _("see its errors under Settings, Verticals; mend or disable it")
    for error in faults.values():
        yield Finding(str(error), remedy, name)
    for one in recent:
        if (one.plugin, one.hook) not in faults and one.plugin not in quarantined:
            problem = _(
                "Plugin “%(plugin)s” failed in the last 24 hours, %(hook)s: %(message)s",
                plugin=one.plugin,
                hook=one.hook,
                message=one.message,
            )
            yield Finding(problem, remedy, name)


def _queue(installation: Installation, workspaces: Sequence[str]) -> Iterator[Finding]:
    for name in workspaces:
        try:
            with installation.workspace(name).read() as session:
                waiting = queue.overdue(session)
        except (sa.exc.DBAPIError, TrellisError):
            continue  # the checks of the database and of its tables tell of it
        if waiting:
            yield Finding(
                _("Jobs wait and nobody takes them: %(number)s", number=waiting),
                _("start `trellis worker`, or `trellis serve` without --no-jobs"),
                name,
            )


def _mail(installation: Installation, workspaces: Sequence[str]) -> Iterator[Finding]:
    config = installation.config
    settings = {
        "TRELLIS_SMTP_URL": config.smtp_url,
        "TRELLIS_MAIL_FROM": config.mail_from,
        "TRELLIS_URL": config.url,
    }
    missing = ", ".join(variable for variable, value in settings.items() if not value)
    if missing:
        some = bool(config.smtp_url or config.mail_from)
        problem = (
            _("Mail is set up in part") if some else _("Mail is not set up: nobody can recover a password")
        )
        yield Finding(problem, _("set %(variables)s", variables=missing), notice=not some)
        return
    try:
        mail.connect(config, timeout=mail.PROBED).quit()
    except (OSError, ValueError, smtplib.SMTPException) as error:
        yield Finding(
            _("The mail server cannot be used (%(error)s)", error=type(error).__name__),
            _("see that TRELLIS_SMTP_URL names the right server, user and password"),
        )


CHECKS: Mapping[str, tuple[Text, Check]] = {
    "frontend": (_("Front-end files"), _frontend),
    "database": (_("Database"), _database),
    "migrations": (_("Tables"), _migrations),
    "plugins": (_("Verticals"), _plugins),
    "queue": (_("Background jobs"), _queue),
    "mail": (_("Outgoing mail"), _mail),
}
"""All checks, in the order in which they are shown."""
