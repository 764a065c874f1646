"""The REST face: ``/api/v1/<workspace>/...``. It holds no business logic; it asks the door and the engines.

One module a subject; each registers its calls on the blueprint in :mod:`trellis.rest.calls` when it is imported.
"""

from importlib import import_module

from trellis.rest.calls import blueprint

for _subject in (
    "absences",
    "analytics",
    "attachments",
    "documents",
    "bonuses",
    "catalogue",
    "circulation",
    "documentation",
    "events",
    "extensions",
    "groups",
    "imports",
    "journeys",
    "kpis",
    "leads",
    "letters",
    "many_tasks",
    "mass",
    "notifications",
    "own_kpis",
    "own_processes",
    "own_segments",
    "personal_data",
    "plugins",
    "processes",
    "quotes",
    "records",
    "reports",
    "scripts",
    "search",
    "segments",
    "surveys",
    "tasks",
):
    import_module(f"trellis.rest.{_subject}")

__all__ = ["blueprint"]
