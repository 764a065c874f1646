"""The OpenAPI document: whole, of this edition, and kept by the server whatever a program sends."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from callers import Client
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
