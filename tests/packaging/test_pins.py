"""A fresh clone gets the versions that were tested."""

from __future__ import annotations

import tomllib
from importlib.metadata import distributions
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

INSTALLERS = {"pip", "setuptools", "uv", "wheel"}
CHECKOUT = Path(__file__).parents[2]


def test_every_installed_distribution_is_pinned() -> None:
    pins = map(
        Requirement,
        tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["uv"]["constraint-dependencies"],
    )
    pinned = {
        f"{canonicalize_name(pin.name)}{pin.specifier}"
        for pin in pins
        if pin.marker is None or pin.marker.evaluate(default_environment())
    }
    installed = {
        f"{canonicalize_name(distribution.name)}=={distribution.version}"
        for distribution in distributions()
        if distribution.name not in INSTALLERS
        and not canonicalize_name(distribution.name).startswith("trellis-crm")
    }
    assert installed - pinned == set()
