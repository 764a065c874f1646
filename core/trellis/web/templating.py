"""What templates have beside their context: texts, formats, addresses of files, and the templates that plugins ship."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from flask.templating import Environment as FlaskEnvironment
from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, TemplateNotFound

from trellis import i18n
from trellis.i18n import Text
from trellis.plugins import PluginRegistry
from trellis.records.prepared import Shelf
from trellis.web.offering import offered_names
from trellis.web.patterns import fixed

FILTERS = {
    "number": i18n.format_number,
    "money": i18n.format_money,
    "short_money": i18n.format_short_money,
    "percent": i18n.format_percent,
    "date": i18n.format_date,
    "time": i18n.format_time,
    "datetime": i18n.format_datetime,
}
STAMP = "v"
VENDOR = "vendor/"


class PluginLoader(BaseLoader):
    """Templates of loaded plugins: ``trellis_retail/panel.html`` lies in ``templates`` of that package."""

    def __init__(self, plugins: PluginRegistry) -> None:
        self._plugins = plugins
        self._loaders: dict[str, PackageLoader] = {}

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """The source of a plugin's template."""
        package, _slash, name = template.partition("/")
        if all(plugin.manifest.package != package for plugin in self._plugins.loaded()):
            raise TemplateNotFound(template)
        if package not in self._loaders:
            try:
                self._loaders[package] = PackageLoader(package)
            except ValueError:  # it ships none
                raise TemplateNotFound(template) from None
        return self._loaders[package].get_source(environment, name)


class _Environment(FlaskEnvironment):
    """Looks into dicts first: most of what pages show are dicts, and asking these for attributes means an exception each."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``obj.attribute`` of a template."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def configure(app: Flask, plugins: PluginRegistry) -> None:
    """Prepares the templates of the application."""
    own = app.jinja_loader
    assert own is not None
    app.jinja_environment = _Environment
    app.jinja_options = {
        "extensions": ["jinja2.ext.i18n"],
        "loader": ChoiceLoader([own, PluginLoader(plugins)]),
        "trim_blocks": True,
    }
    environment: Any = app.jinja_env
    environment.install_gettext_callables(
        lambda message: str(Text(message)),
        lambda singular, plural, number: str(Text(singular, plural=plural, number=number)),
        newstyle=True,
    )
    environment.filters.update(FILTERS)
    environment.globals |= {"fixed": fixed, "offered_names": offered_names}
    app.extensions["trellis_fixed"] = Shelf()
    app.url_defaults(_stamp(Path(app.static_folder or "")))


def _stamp(folder: Path) -> Callable[[str, dict[str, Any]], None]:
    """Adds to addresses of our static files when they were changed, so that browsers may keep them for good.

    Files of others (``vendor``) change with a release only, and are also named by style sheets, without a stamp.
    """

    def add(endpoint: str, values: dict[str, Any]) -> None:
        name = values.get("filename")
        if endpoint == "static" and name and not name.startswith(VENDOR):
            path = folder / name
            if path.is_file():
                values[STAMP] = format(path.stat().st_mtime_ns, "x")

    return add
