"""Importing: files become records through the one door, row by row, and what does not fit comes back with its reason."""

from trellis.records.importer.encodings import ImportFailed
from trellis.records.importer.mapping import Mapping
from trellis.records.importer.plans import MappingInvalid, Plan
from trellis.records.importer.readers import Row, Source, open_source
from trellis.records.importer.runner import ImportResult, Rejection, run_import

__all__ = [
    "ImportFailed",
    "ImportResult",
    "Mapping",
    "MappingInvalid",
    "Plan",
    "Rejection",
    "Row",
    "Source",
    "open_source",
    "run_import",
]
