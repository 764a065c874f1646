"""What templates have beside their context: texts, formats, and the templates that plugins ship."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, TemplateNotFound

from trellis import i18n
from trellis.errors import PluginError
from trellis.plugins import PluginRegistry

FILTERS = {
    "number": i18n.format_number,
    "money": i18n.format_money,
    "short_money": i18n.format_short_money,
    "percent": i18n.format_percent,
    "date": i18n.format_date,
    "time": i18n.format_time,
    "datetime": i18n.format_datetime,
}


class PluginLoader(BaseLoader):
    """Templates of plugins: ``retail/panel.html`` is ``templates/panel.html`` in the package of the plugin ``retail``."""

    def __init__(self, plugins: PluginRegistry) -> None:
        self._plugins = plugins

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """The source of a plugin's template."""
        plugin, _slash, name = template.partition("/")
        if plugin not in self._plugins.names():
            raise TemplateNotFound(template)
        try:
            loader = PackageLoader(self._plugins.load(plugin).manifest.package)
        except (PluginError, ValueError):
            raise TemplateNotFound(template) from None
        return loader.get_source(environment, name)


def configure(app: Flask, plugins: PluginRegistry) -> None:
    """Prepares the templates of the application."""
    own = app.jinja_loader
    assert own is not None
    app.jinja_options = {
        **app.jinja_options,
        "loader": ChoiceLoader([own, PluginLoader(plugins)]),
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    app.jinja_env.globals.update(_=i18n.translator("trellis"), _n=i18n.plural_translator("trellis"))
    app.jinja_env.filters.update(FILTERS)
