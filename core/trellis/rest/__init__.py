"""The REST face: ``/api/v1/<workspace>/...``. It holds no business logic; it asks the door and the engines.

One module a subject; each registers its calls on the blueprint in :mod:`trellis.rest.calls` when it is imported.
"""

from trellis.rest import (
    analytics,
    catalogue,
    documentation,
    events,
    extensions,
    imports,
    kpis,
    plugins,
    records,
    segments,
)
from trellis.rest.calls import blueprint

__all__ = [
    "analytics",
    "blueprint",
    "catalogue",
    "documentation",
    "events",
    "extensions",
    "imports",
    "kpis",
    "plugins",
    "records",
    "segments",
]
