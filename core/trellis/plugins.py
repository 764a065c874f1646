"""Finding, loading, calling and blaming plugins.

Entry points of the group ``trellis.plugins`` are scanned once per process; a plugin's code is imported the first time a
workspace needs it. Installed is not enabled: a :class:`Hooks` object calls only the plugins it was made for.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from typing import Any

import pluggy
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from trellis import hookspecs
from trellis.contributions import Manifest
from trellis.errors import PluginError, TrellisError
from trellis.guard import MOST_CONTRIBUTIONS, TookTooLong, TooLarge, limited

log = logging.getLogger(__name__)

GROUP = "trellis.plugins"
CORE = "core"
_HOOK = f"{hookspecs.PROJECT}_"
"""How the names of all hooks begin."""
LONGEST_TRACE = 8_000
TIMEOUT_WEIGHT = 5
"""A call that had to be left behind holds a thread, and everybody waits for it."""


@dataclass(frozen=True)
class Fault:
    """An error of a plugin, attributed to the hook in which it happened. ``weight`` counts towards quarantine."""

    plugin: str
    hook: str
    message: str
    trace: str
    weight: int = 1
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def error(self) -> PluginError:
        """The fault as an error that can be raised."""
        return PluginError(self.plugin, self.hook, self.message)

    @classmethod
    def of(cls, plugin: str, hook: str, error: BaseException) -> Fault:
        """The fault that ``error`` is, with its traceback."""
        message = str(error) if isinstance(error, TrellisError) else f"{type(error).__name__}: {error}"
        weight = TIMEOUT_WEIGHT if isinstance(error, TookTooLong) else 1
        return cls(plugin, hook, message, "".join(traceback.format_exception(error))[-LONGEST_TRACE:], weight)


def note_fault(session: Any, fault: Fault) -> None:
    """Keeps a fault that the caller went on without, for whoever opened the session (:func:`noted_faults`)."""
    session.info.setdefault(_NOTED, []).append(fault)


def noted_faults(session: Any) -> list[Fault]:
    """The faults noted in a session, each once."""
    faults: list[Fault] = session.info.pop(_NOTED, [])
    return faults


_NOTED = "trellis_faults"


@dataclass(frozen=True)
class Plugin:
    """An installed plugin whose code has been loaded."""

    manifest: Manifest
    module: Any

    @property
    def name(self) -> str:
        return self.manifest.name


@cache
def core_version() -> str:
    """The version of the installed core."""
    return metadata.version("trellis-crm")


@cache
def _installed() -> metadata.EntryPoints:
    """The entry points of what was installed when this process first looked."""
    return metadata.entry_points(group=GROUP)


class _Manager(pluggy.PluginManager):
    """Looks only at names that hooks may have (:meth:`PluginRegistry._check_hook_names`), not at all that a module imports."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> pluggy.HookimplOpts | None:
        return super().parse_hookimpl_opts(plugin, name) if name.startswith(_HOOK) else None


class PluginRegistry:
    """The plugins of this process. One lives in the application; tests make their own."""

    def __init__(self, entry_points: Sequence[metadata.EntryPoint] | None = None) -> None:
        found = _installed() if entry_points is None else entry_points
        self._entry_points = {entry_point.name: entry_point for entry_point in found}
        self._loaded: dict[str, Plugin] = {}
        self._broken: dict[str, Fault] = {}
        self._loading = threading.RLock()
        self._manager = _Manager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)

    def names(self) -> list[str]:
        """Names of all installed plugins, loaded or not."""
        loaded = {name for name in self._loaded if _owner(name) != CORE}
        return sorted(self._entry_points.keys() | loaded)

    def add(self, module: Any, manifest: Manifest | None = None) -> Plugin:
        """Adds a plugin object, as the core does for its own ``crm`` folders and as tests do."""
        stated = manifest or getattr(module, "manifest", None)
        if not isinstance(stated, Manifest):
            raise TypeError("a plugin needs a module-level `manifest = trellis.Manifest(...)`")
        plugin = Plugin(stated, module)
        self._check_hook_names(module)
        try:
            self._manager.register(module, name=plugin.name)
        except pluggy.PluginValidationError:
            self._manager.unregister(name=plugin.name)
            raise
        self._loaded[plugin.name] = plugin
        return plugin

    def loaded(self) -> list[Plugin]:
        """The plugins whose code this process has loaded, without the core's own folders."""
        return [plugin for name, plugin in self._loaded.items() if _owner(name) != CORE]

    def load(self, name: str) -> Plugin:
        """The plugin of that name; raises PluginError when it is not installed or cannot be imported."""
        if name in self._loaded:
            return self._loaded[name]
        with self._loading:  # of two first requests at once, the second waits for the first
            return self._load(name)

    def _load(self, name: str) -> Plugin:
        if name in self._loaded:
            return self._loaded[name]
        if name in self._broken:
            raise self._broken[name].error()
        entry_point = self._entry_points.get(name)
        if entry_point is None:
            known = ", ".join(self.names()) or "none"
            raise PluginError(name, "load", f"it is not installed (installed: {known})")
        try:
            plugin = self.add(entry_point.load())
            if plugin.name != name:
                self._loaded.pop(plugin.name)
                raise TypeError(f"its manifest says “{plugin.name}”, its entry point “{name}”")
        except Exception as error:  # a plugin may raise anything while it is imported
            self._broken[name] = Fault.of(name, "load", error)
            log.warning("plugin %s cannot be loaded: %s", name, error)
            raise self._broken[name].error() from error
        return plugin

    def hooks(self, names: Sequence[str]) -> Hooks:
        """The hooks of these plugins only, the core's first."""
        return Hooks(self._manager, names)

    def _check_hook_names(self, module: Any) -> None:
        known = {name for name in vars(hookspecs) if name.startswith(_HOOK)}
        for name in dir(module):
            marked = getattr(getattr(module, name, None), f"{hookspecs.PROJECT}_impl", None)
            if marked is not None and name not in known:
                raise TypeError(f"there is no hook “{name}”")


def version_problem(requirement: str, version: str) -> str:
    """Why ``version`` does not meet ``requirement``; empty when it does."""
    try:
        fits = not requirement or SpecifierSet(requirement, prereleases=True).contains(version)
    except InvalidSpecifier:
        return f"“{requirement}” is not a version range"
    return "" if fits else f"needs core {requirement}; this is {version}"


Implementation = tuple[str, Callable[..., Any]]


class Hooks:
    """Calls hooks of a fixed set of plugins, all of them loaded before, each call guarded and attributed."""

    def __init__(self, manager: pluggy.PluginManager, names: Sequence[str]) -> None:
        self._manager = manager
        self._names = frozenset(names) | {CORE}
        self._found: dict[tuple[str, str], tuple[Implementation, ...]] = {}

    def implementations(self, hook: str, entity: str = "") -> tuple[Implementation, ...]:
        """(plugin, function) pairs of ``hook``: the core first, then in order of registration.

        With ``entity``, without those that say that it does not concern them.
        """
        found = self._found.get((hook, entity))
        if found is None:
            pairs = self._find(hook)
            found = tuple(pair for pair in pairs if not entity or entity in _concern_of(pair[1], entity))
            self._found[hook, entity] = found
        return found

    def _find(self, hook: str) -> Iterator[Implementation]:
        found = getattr(self._manager.hook, hook).get_hookimpls()
        ours = [impl for impl in found if _owner(impl.plugin_name) in self._names]
        for impl in sorted(ours, key=lambda impl: _owner(impl.plugin_name) != CORE):
            yield _owner(impl.plugin_name), impl.function

    def collect(self, hook: str, faults: list[Fault]) -> Iterator[tuple[str, Any]]:
        """(plugin, result) of a contribution hook; an error becomes a fault."""
        for plugin, function in self.implementations(hook):
            try:
                result = function() if plugin == CORE else limited(function)
                if not isinstance(result, list | tuple):
                    raise TypeError(f"returned {type(result).__name__}, not a list")
                if len(result) > MOST_CONTRIBUTIONS:
                    raise TooLarge("contributions", MOST_CONTRIBUTIONS)
            except Exception as error:  # a plugin may raise anything
                faults.append(Fault.of(plugin, hook, error))
                continue
            yield plugin, result


def _concern_of(function: Callable[..., Any], entity: str) -> Container[str]:
    """The entities that a hook says it is for (:func:`trellis.hookspecs.concerns`); any where it says nothing."""
    return getattr(function, hookspecs.CONCERNS, (entity,))


def _owner(registered: str) -> str:
    """``core.sales`` is the core."""
    return CORE if registered.startswith(f"{CORE}.") else registered
