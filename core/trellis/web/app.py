"""The application factory: the web and REST faces of an installation."""

from __future__ import annotations

import logging
import os
import secrets
from datetime import timedelta
from pathlib import Path

from flask import Flask, Response, g, render_template, request
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response as BaseResponse

from trellis import i18n
from trellis.errors import TrellisError
from trellis.i18n import Text, translator
from trellis.installation import Installation
from trellis.web import context
from trellis.web.views import boards, home, lists, measures, model, records, session, settings
from trellis.web.views import settings_fields, settings_plugins, settings_roles, settings_users

_ = translator("trellis")
log = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
LARGEST_REQUEST = 64 * 1024 * 1024


def create_app(installation: Installation) -> Flask:
    """A WSGI application that serves every workspace of an installation."""
    app = Flask("trellis.web", template_folder="templates", static_folder="static")
    app.secret_key = secret_key(installation.config.home)
    app.config.update(
        SESSION_COOKIE_NAME="trellis",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(hours=1),
    )
    _prepare_templates(app, installation)
    context.install(app, installation)
    from trellis.rest import blueprint as rest

    app.register_blueprint(rest)
    from trellis.web.views import health

    for module in (
        health,
        session,
        settings,
        settings_users,
        settings_roles,
        settings_fields,
        settings_plugins,
        home,
        model,
        measures,
        boards,
        records,
        lists,
    ):
        app.register_blueprint(module.blueprint)
    app.register_error_handler(TrellisError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_harden)
    return app


def secret_key(home: Path) -> bytes:
    """The key that signs sessions, made once for an installation and readable by its owner only."""
    path = home / "secret_key"
    if not path.exists():
        made = path.with_name(f"secret_key.{os.getpid()}")
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(made, path)  # the first process wins; the others read what it made
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_bytes()


def _prepare_templates(app: Flask, installation: Installation) -> None:
    app.jinja_options = {"extensions": ["jinja2.ext.i18n"]}
    environment = app.jinja_env
    environment.trim_blocks = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: str(Text(message)),
        lambda singular, plural, number: str(Text(singular, plural=plural, number=number)),
        newstyle=True,
    )
    environment.filters.update(
        number=i18n.format_number,
        money=i18n.format_money,
        short_money=i18n.format_short_money,
        percent=i18n.format_percent,
        date=i18n.format_date,
        datetime=i18n.format_datetime,
        time=i18n.format_time,
    )
    loaders = [FileSystemLoader(str(Path(__file__).parent / "templates"))]
    environment.loader = _PluginLoader(loaders, installation)


class _PluginLoader(ChoiceLoader):
    """The core's templates, then those of installed plugins, named ``<package>/<template>``."""

    def __init__(self, loaders: list[FileSystemLoader], installation: Installation) -> None:
        super().__init__(loaders)
        self._installation = installation
        self._packages: dict[str, PackageLoader] = {}

    def get_source(self, environment, template):  # type: ignore[no-untyped-def]
        package, slash, name = template.partition("/")
        if slash and package in self._known():
            loader = self._packages.setdefault(package, PackageLoader(package, "templates"))
            return loader.get_source(environment, name)
        return super().get_source(environment, template)

    def load(self, environment, name, globals=None):  # type: ignore[no-untyped-def]
        return super(ChoiceLoader, self).load(environment, name, globals)

    def _known(self) -> set[str]:
        return {plugin.manifest.package for plugin in self._installation.plugins.loaded()}


def _harden(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _refused(error: TrellisError) -> tuple[str, int] | BaseResponse:
    return _answer(error.status, str(error.title), str(error))


def _http_error(error: HTTPException) -> tuple[str, int] | BaseResponse:
    if error.code is not None and error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    if error.description == "csrf":
        return _answer(403, str(_("This page is too old")), str(_("Load it again and repeat what you did.")))
    titles = {
        403: _("You may not open this"),
        404: _("There is nothing here"),
        405: _("This address does not take this request"),
        413: _("The file is too large"),
    }
    texts = {
        403: _("Your role does not allow it. An administrator can change that."),
        404: _("It was moved, deleted, or you may not see it."),
    }
    code = error.code or 500
    return _answer(code, str(titles.get(code, error.name)), str(texts.get(code, "")))


def _unexpected(error: Exception) -> tuple[str, int] | BaseResponse:
    code = secrets.token_hex(4)
    log.exception("unexpected error %s at %s %s", code, request.method, request.path, exc_info=error)
    text = _("Nothing was changed. Tell your administrator this code: %(code)s", code=code)
    return _answer(500, str(_("Something went wrong on our side")), str(text), code)


def _answer(status: int, title: str, text: str, code: str = "") -> tuple[str, int] | BaseResponse:
    """The error in the form of the face that asked."""
    if request.blueprint == "rest" or request.path.startswith("/api/"):
        from trellis.rest.problems import problem

        return problem(status, title, text)
    home_url = f"/{g.workspace.name}/" if "workspace" in g else "/"
    error = {
        "status": status,
        "title": title,
        "text": text,
        "kept": "",
        "acts": [{"title": str(_("Home")), "url": home_url}],
        "code": code,
    }
    try:
        if "actor" in g and "transaction" in g and not request.headers.get("HX-Request"):
            from trellis.web.shell import page

            return page("error.html", title=title, icon="circle-alert", error=error), status
        from trellis.web.views.session import bare_shell

        return render_template("error_plain.html", error=error, page_title=title, shell=bare_shell()), status
    except Exception:  # a page that tells of an error must not be one
        log.exception("the error page failed")
        return f"{InternalServerError().name}: {title}", status


