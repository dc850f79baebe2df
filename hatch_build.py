"""Builds the browser's part (`ui/`) into the wheel, so that its users need no Node.

A wheel holds the prebuilt extension of JupyterLab and the stand-alone page. Where both are built already (`make ui`, or
a source distribution) they are taken as they are; else npm builds them. An editable install holds none: `make ui` makes
and links them. NBCELLAR_WITHOUT_UI=1 leaves them out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LAB = "ui/labextension"
TARGET = "share/jupyter/labextensions/nbcellar-lab"
PAGE = "src/nbcellar/server/static"
BUILDER = "jupyter_builder>=1.3,<2"


class UiBuildHook(BuildHookInterface[Any]):
    """Hatchling's hook for wheels and source distributions."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What building needs beyond hatchling; nothing where it is built already."""
        return [BUILDER] if self._has_to_build() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build if necessary, and tell hatchling where the extension goes."""
        if self._has_to_build():
            self._build()
        build_data["artifacts"] += [f"/{LAB}/**", f"/{PAGE}/**"]
        if self.target_name == "wheel" and version != "editable" and self._is_built():
            build_data["shared_data"] |= self._extension()

    def _has_to_build(self) -> bool:
        wanted = not os.environ.get("NBCELLAR_WITHOUT_UI") and "editable" not in self.build_config.versions
        return wanted and not self._is_built()

    def _extension(self) -> dict[str, str]:
        """Return the files of the extension and where each goes; what `make` notes there stays behind."""
        folder = Path(self.root, LAB)
        files = [file for file in sorted(folder.rglob("*")) if file.is_file() and not file.name.startswith(".")]
        return {str(file): f"{TARGET}/{file.relative_to(folder).as_posix()}" for file in files}

    def _is_built(self) -> bool:
        return Path(self.root, LAB, "package.json").is_file() and Path(self.root, PAGE, "index.html").is_file()

    def _build(self) -> None:
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit(
                "nbcellar: an install from a checkout builds the browser's part and needs Node 20 with npm; "
                "install the wheel instead, or set NBCELLAR_WITHOUT_UI=1 to leave it out"
            )
        tools = Path(sys.executable).parent
        environ = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}
        for words in (["ci"], ["run", "build"]):
            subprocess.run([npm, *words], cwd=Path(self.root, "ui"), env=environ, check=True)
