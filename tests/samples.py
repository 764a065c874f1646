"""Plugins for tests: the sample package, and small ones made on the spot."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import trellis
from trellis.i18n import Text
from trellis.plugins import PluginRegistry

SAMPLES = Path(__file__).parent / "sample"


def registry(*modules: Any) -> PluginRegistry:
    """Plugins of a process that has these installed, and none of the environment's."""
    plugins = PluginRegistry(entry_points=[])
    for module in modules:
        plugins.add(module)
    return plugins


def gym() -> Any:
    """The sample package."""
    if str(SAMPLES) not in sys.path:
        sys.path.insert(0, str(SAMPLES))
    import trellis_gym

    return trellis_gym


def plugin(name: str, /, package: str = "json", **hooks: Callable[..., Any]) -> Any:
    """A plugin object with these hooks. ``package`` is where its migrations would be (none in ``json``)."""
    options = {key: hooks.pop(key) for key in ("core", "requires", "version") if key in hooks}
    manifest = trellis.Manifest(
        name=name,
        title=Text(name.title()),
        package=package,
        **{"version": "1.0", **options},  # type: ignore[arg-type]
    )
    marked = {hook: trellis.hookimpl(function) for hook, function in hooks.items()}
    return SimpleNamespace(manifest=manifest, **marked)
