"""The kinds of jobs that the core knows how to do: handed to whoever works through the queue."""

from __future__ import annotations

from types import MappingProxyType

from trellis.jobs import Kinds
from trellis.records.importer import runs

JOB_KINDS: Kinds = MappingProxyType({runs.KIND: runs.work})
