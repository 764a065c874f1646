"""Leads over REST, beside what they share with all records: conversion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g

from trellis.crm.sales.conversion import Parts, convert
from trellis.errors import RecordInvalid
from trellis.i18n import translator
from trellis.rest.arguments import json_object, no_arguments
from trellis.rest.calls import LARGEST_ID, blueprint
from trellis.rest.records import expected, one_record

_ = translator("trellis")

CHOICES: Mapping[str, tuple[type, ...]] = {
    "customer": (int, dict),
    "contact": (int, dict, bool),
    "opportunity": (dict, bool),
}
"""How the parts may be given: the id of a record that is there, values of a new one, or whether it is wished."""


@blueprint.post("/lead/<id:record_id>:convert")
def convert_lead(workspace: str, record_id: int) -> Response:
    """Makes a customer of a lead, with a contact and an opportunity where they are wished."""
    no_arguments()
    body = json_object()
    errors = {name: [_("There is no such field here")] for name in body if name not in CHOICES}
    for name, known in CHOICES.items():
        if name in body and not _fits(body[name], known):
            errors[name] = [_("Give the id of a record, values of a new one, or true or false")]
    if errors:
        raise RecordInvalid(errors)
    lead = convert(g.records, record_id, Parts(**body), expected("lead", record_id))
    return one_record("lead", lead)


def _fits(value: Any, known: tuple[type, ...]) -> bool:
    return type(value) in known and (type(value) is not int or 0 < value <= LARGEST_ID)
