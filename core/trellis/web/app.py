"""The application factory: the web and REST faces of an installation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from trellis import rest
from trellis.installation import Installation
from trellis.security.rates import Rates
from trellis.uploads import MB
from trellis.web import context, errors, language, session, templating
from trellis.web.metrics import Metrics
from trellis.web.views import (
    answering,
    attachments,
    boards,
    bonuses,
    bulk,
    calendars,
    cells,
    circulation,
    classes,
    confirming,
    converting,
    cross_selling,
    documents,
    duplicates,
    factors,
    feeds,
    funnels,
    groups,
    health,
    home,
    imports,
    inviting,
    jobs,
    journey_editing,
    journeys,
    kpi_targets,
    kpis,
    letters,
    lifecycle,
    lifetime,
    lists,
    loyalty,
    measures,
    merging,
    model,
    notifications,
    palette,
    personal_data,
    planning,
    portfolio,
    process_editing,
    processes,
    product_life,
    profile,
    programme,
    pyramid,
    quoting,
    records,
    recovery,
    reports,
    responsibilities,
    rfm,
    satisfaction,
    saved_views,
    script_editing,
    script_pages,
    scripts,
    search,
    second_step,
    segment_lists,
    segments,
    settings,
    settings_audit,
    settings_backup,
    settings_conditions,
    settings_fields,
    settings_funnels,
    settings_health,
    settings_kpis,
    settings_logo,
    settings_organisation,
    settings_plugins,
    settings_roles,
    settings_security,
    settings_stages,
    settings_users,
    settings_value,
    settings_webhooks,
    solving,
    task_acts,
    template_editing,
    unsubscribing,
)
from trellis.web.views import session as entrance

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PAGES = (
    health,
    answering,
    unsubscribing,
    entrance,
    second_step,
    recovery,
    confirming,
    feeds,
    profile,
    factors,
    settings,
    settings_users,
    settings_roles,
    settings_conditions,
    settings_security,
    settings_fields,
    settings_funnels,
    settings_value,
    settings_stages,
    settings_organisation,
    settings_logo,
    settings_plugins,
    settings_audit,
    settings_backup,
    settings_health,
    settings_webhooks,
    settings_kpis,
    home,
    task_acts,
    notifications,
    model,
    lifecycle,
    measures,
    segments,
    segment_lists,
    kpi_targets,
    kpis,
    pyramid,
    classes,
    satisfaction,
    programme,
    product_life,
    portfolio,
    cross_selling,
    lifetime,
    loyalty,
    journeys,
    journey_editing,
    boards,
    funnels,
    planning,
    bonuses,
    calendars,
    palette,
    search,
    imports,
    jobs,
    merging,
    duplicates,
    converting,
    circulation,
    documents,
    quoting,
    solving,
    letters,
    template_editing,
    personal_data,
    process_editing,
    processes,
    responsibilities,
    rfm,
    scripts,
    script_pages,
    script_editing,
    inviting,
    reports,
    attachments,
    records,
    bulk,
    cells,
    saved_views,
    groups,
    lists,
)
"""The modules of pages, each with a ``blueprint``."""

HEADERS = tuple(
    {
        "Content-Security-Policy": (
            "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }.items()
)
_TRANSPORT = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
MOST_FORM_PARTS = 5_000
_DAY = 24 * 3600


class _Number(IntegerConverter):
    """A number in an address, no longer than a database can hold; nothing is at others."""

    regex = "[0-9]{1,18}"


def create_app(installation: Installation) -> Flask:
    """A WSGI application that serves every workspace of an installation."""
    app = _Application("trellis.web")
    largest = installation.config.uploads.form * MB
    app.config.update(
        MAX_CONTENT_LENGTH=largest,
        MAX_FORM_MEMORY_SIZE=largest,
        MAX_FORM_PARTS=MOST_FORM_PARTS,
    )
    app.extensions["trellis_uploads"] = installation.config.uploads
    metrics = app.extensions["trellis_metrics"] = Metrics()
    metrics.configure(app)
    language.configure(app)
    session.configure(app, installation.config)
    templating.configure(app, installation.plugins)
    app.after_request(_limit_keeping)
    app.extensions["trellis_rates"] = Rates(installation.config.api_rate)
    app.extensions["trellis_answer_rates"] = Rates(answering.RATE)
    context.configure(app, installation)
    errors.configure(app)
    app.url_map.converters["int"] = _Number
    app.register_blueprint(rest.blueprint)
    for module in PAGES:
        app.register_blueprint(module.blueprint)
    app.wsgi_app = _hardened(app.wsgi_app)  # type: ignore[method-assign,assignment]
    if installation.config.proxies:
        hops = installation.config.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app


class _Application(Flask):
    """Flask, but for what it finds out anew in each request."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._ready: dict[Callable[..., Any], Callable[..., Any]] = {}

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        ready = self._ready.get(func)
        if ready is None:
            ready = self._ready[func] = super().ensure_sync(func)
        return ready


def _hardened(app: WSGIApplication) -> WSGIApplication:
    """Headers that keep pages from being framed, sniffed or scripted from elsewhere, where the answer has none of its own."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
            known = {name.lower() for name, _value in headers}
            wanted = (*HEADERS, _TRANSPORT) if environ["wsgi.url_scheme"] == "https" else HEADERS
            added = [pair for pair in wanted if pair[0].lower() not in known]
            return start_response(status, headers + added, *more)

        return app(environ, start)

    return answer


def _limit_keeping(response: Response) -> Response:
    """Pages are not kept where others read them."""
    if request.endpoint == "static" and response.status_code in (200, 206, 304):
        _let_keep(response)
    else:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _let_keep(response: Response) -> None:
    """Static files: stamped ones for good, those of others for a day; browsers ask whether the rest has changed."""
    stamped = templating.STAMP in request.args
    if stamped or f"/static/{templating.VENDOR}" in request.path:
        response.cache_control.no_cache = None
        response.cache_control.immutable = stamped
        response.cache_control.max_age = 365 * _DAY if stamped else _DAY
