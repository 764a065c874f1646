"""Importing: files become records through the one door, row by row, and what does not fit comes back with its reason."""

from trellis.records.importer.mapping import Mapping, mapping_from_json, mapping_of, match_headers
from trellis.records.importer.readers import ImportFailed, read_rows
from trellis.records.importer.runner import ImportResult, run_import

__all__ = [
    "ImportFailed",
    "ImportResult",
    "Mapping",
    "mapping_from_json",
    "mapping_of",
    "match_headers",
    "read_rows",
    "run_import",
]
