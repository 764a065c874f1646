"""The generic CRM: one folder a direction of the model, registered through the same hooks as any plugin."""

from __future__ import annotations

from trellis.contributions import Manifest
from trellis.i18n import translator
from trellis.plugins import CORE, PluginRegistry, core_version

_ = translator("trellis")

DIRECTIONS = (
    "management",
    "market",
    "customers",
    "customers.documents",
    "customers.circulation",
    "products",
    "marketing",
    "sales",
    "sales.bonuses",
    "sales.reports",
    "service",
    "analytics",
)


def register(plugins: PluginRegistry) -> None:
    """Adds the core's own contributions, folder by folder."""
    from importlib import import_module

    for direction in DIRECTIONS:
        module = import_module(f"trellis.crm.{direction}.contributions")
        manifest = Manifest(
            name=f"{CORE}.{direction}", title=_("Core"), version=core_version(), package="trellis"
        )
        plugins.add(module, manifest)
