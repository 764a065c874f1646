"""Mails as pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trellis.i18n import Text

_KINDS = {"to": "email", "subject": "text", "text": "long"}


def letter_fields(
    labels: Mapping[str, Text], given: Mapping[str, str], errors: Mapping[str, list[str]]
) -> dict[str, dict[str, Any]]:
    """The fields of a mail, by name."""
    return {
        name: {
            "id": name,
            "name": name,
            "label": str(label),
            "kind": _KINDS[name],
            "value": given.get(name, ""),
            "required": True,
            "errors": errors.get(name, []),
            "options": [],
        }
        for name, label in labels.items()
    }
