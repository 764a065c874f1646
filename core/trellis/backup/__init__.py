"""Backups: a whole workspace in one file that either database can read back, and copies for trying things."""

from trellis.backup.archive import BackupInvalid
from trellis.backup.copying import copy_workspace
from trellis.backup.restoring import read_manifest, require_readable, restore
from trellis.backup.saving import save

__all__ = ["BackupInvalid", "copy_workspace", "read_manifest", "require_readable", "restore", "save"]
