"""Counters and timings for Prometheus, by route: no names, no addresses, nothing about people."""

from __future__ import annotations

import os
import time

from flask import Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """What one application counts. Several worker processes share files, named by ``PROMETHEUS_MULTIPROC_DIR``."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "trellis_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "trellis_request_seconds",
            "Time to answer a request",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )

    def configure(self, app: Flask) -> None:
        """Counts every request of the application."""
        app.before_request(self._begin)
        app.after_request(self._count)

    def page(self) -> Response:
        """Everything counted, in the format of Prometheus."""
        registry = self._registry
        if os.environ.get(MULTIPROCESS):
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    def _begin(self) -> None:
        g.began = time.perf_counter()

    def _count(self, response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.method in _METHODS else "other"
        self._requests.labels(method, route, response.status_code).inc()
        if "began" in g:
            self._seconds.labels(method, route).observe(time.perf_counter() - g.began)
        return response
