"""Errors are types with data; the faces turn them into text once (RFC 9457 on REST, beside the field in the UI)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trellis.i18n import Text, translator

_ = translator("trellis")

Message = Text | str


class TrellisError(Exception):
    """Base of every error that a caller can mend.

    ``status`` is the HTTP status a face answers with, ``code`` a stable machine name, ``detail`` a sentence for people.
    """

    status = 400
    code = "bad_request"
    title: Message = _("The request cannot be done")

    def __init__(self, detail: Message = "") -> None:
        super().__init__(detail)
        self.detail: Message = detail or self.title

    def __str__(self) -> str:
        return str(self.detail)


class RecordInvalid(TrellisError):
    """The values do not make a valid record. ``errors`` maps field name to messages; ``_record`` is the record as a whole."""

    status = 422
    code = "invalid"
    title = _("Some values are not valid")

    def __init__(self, errors: Mapping[str, Sequence[Message]]) -> None:
        super().__init__(self.title)
        self.errors = {field: list(messages) for field, messages in errors.items()}

    def __str__(self) -> str:
        return "; ".join(
            f"{field}: {' '.join(map(str, messages))}" for field, messages in self.errors.items()
        )


class RecordNotFound(TrellisError):
    """There is no such record, or the caller may not know that there is."""

    status = 404
    code = "not_found"
    title = _("There is no such record")


class EntityNotFound(TrellisError):
    """The edition has no entity of this name."""

    status = 404
    code = "entity_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(_("There is no entity “%(name)s” in this edition", name=name))
        self.name = name


class PermissionRefused(TrellisError):
    """The actor's roles do not allow this."""

    status = 403
    code = "forbidden"
    title = _("Your role does not allow this")


class StaleVersion(TrellisError):
    """Somebody changed the record since the caller read it; ``current`` is the version it has now."""

    status = 412
    code = "stale_version"
    title = _("Somebody else changed this record since you opened it")

    def __init__(self, current: int) -> None:
        super().__init__(self.title)
        self.current = current


class TooMany(TrellisError):
    """Asked too often; ``seconds`` is how long to wait."""

    status = 429
    code = "too_many"
    title = _("Too many requests; wait a little")

    def __init__(self, seconds: int, detail: Message = "") -> None:
        super().__init__(detail)
        self.seconds = max(1, seconds)


class Conflict(TrellisError):
    """The state of the workspace does not allow this now."""

    status = 409
    code = "conflict"
    title = _("This is not possible in the present state")


class SumTooLarge(TrellisError):
    """A sum leaves the numbers of the database (over 922 trillion on SQLite), or those of a column (100 trillion)."""

    status = 409
    code = "sum_too_large"
    title = _("This comes to more than can be added up")

    def __init__(self) -> None:
        super().__init__(
            _("The amounts come to over 100 trillion. Look for one that is far too large, or ask for fewer")
        )


class RuleInvalid(TrellisError):
    """A rule names an unknown field or operator, or its value has the wrong type. ``path`` points into the JSON."""

    code = "rule_invalid"

    def __init__(self, detail: Message, path: str = "") -> None:
        super().__init__(detail)
        self.path = path


class CursorInvalid(TrellisError):
    """The page cursor does not belong to this list."""

    code = "cursor_invalid"
    title = _("The cursor does not belong to this list; start from the first page")


class WorkspaceNotFound(TrellisError):
    """No workspace of this name."""

    status = 404
    code = "workspace_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(_("There is no workspace “%(name)s”", name=name))
        self.name = name


class PluginError(TrellisError):
    """A plugin failed. Attributed to the plugin and the hook (or stage) where it happened."""

    status = 409
    code = "plugin_failed"

    def __init__(self, plugin: str, hook: str, cause: object) -> None:
        super().__init__(
            _("Plugin “%(plugin)s”, %(hook)s: %(cause)s", plugin=plugin, hook=hook, cause=str(cause))
        )
        self.plugin = plugin
        self.hook = hook
        self.cause = cause


class EditionInvalid(TrellisError):
    """Contributions do not fit together; ``problems`` are PluginErrors, one for each thing to mend."""

    status = 409
    code = "edition_invalid"

    def __init__(self, problems: Sequence[PluginError]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = list(problems)
