"""Every text that people read exists in every language."""

from __future__ import annotations

import pytest
from trellis.i18n import LANGUAGES
from trellis.testing.catalogue import missing


@pytest.mark.parametrize("package", ["trellis", "trellis_retail", "trellis_banking", "trellis_b2b"])
@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_text_is_translated(package: str, language: str) -> None:
    pytest.importorskip(package)
    assert list(missing(package, language)) == []
