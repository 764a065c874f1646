"""Retail passes the kit that every vendor's plugin passes."""

from __future__ import annotations

from pathlib import Path

from trellis.testing.conformance import check_plugin


def test_retail_conforms(tmp_path: Path) -> None:
    assert [str(finding) for finding in check_plugin("retail", tmp_path)] == []
