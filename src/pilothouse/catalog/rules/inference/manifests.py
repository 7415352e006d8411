"""What the manifests of languages say of a package. Whatever cannot be read says nothing."""

from __future__ import annotations

import configparser
import json
import posixpath
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from msgspec.structs import replace

from pilothouse.catalog.rules.inference.model import Package
from pilothouse.catalog.rules.inference.naming import one_line

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def read(path: str, text: str) -> Package | None:
    """A package by its manifest; None for a file that is none, or that cannot be read."""
    name = posixpath.basename(path)
    reader = next((reader for suffix, reader in _READERS if name.endswith(suffix)), None)
    if reader is None:
        return None
    try:
        package = reader(text)
    except (ValueError, TypeError, AttributeError, KeyError, configparser.Error, RecursionError):
        return None
    return package and replace(
        package,
        folder=posixpath.dirname(path),
        manifest=path,
        description=one_line(package.description),
    )


def is_manifest(path: str) -> bool:
    name = posixpath.basename(path)
    return any(name.endswith(suffix) for suffix, _ in _READERS)


def load_yaml(text: str) -> Any:
    """A YAML document, None when it cannot be read."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, loader)  # noqa: S506 - both are safe loaders
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else ()
    return tuple(item for item in items if isinstance(item, str))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _package_json(text: str) -> Package:
    data = json.loads(text)
    spaces = data.get("workspaces")
    members = texts(spaces) or texts(mapping(spaces).get("packages"))
    named = [*mapping(data.get("dependencies")), *mapping(data.get("peerDependencies"))]
    tools = [*mapping(data.get("devDependencies"))]
    starts = "start" in mapping(data.get("scripts"))
    return Package(
        "",
        None,
        name=_text(data.get("name")),
        description=_text(data.get("description")),
        language="typescript" if "typescript" in tools + named else "javascript",
        dependencies=frozenset(named),
        runs="bin" if data.get("bin") else "the start script" if starts else "",
        published=not data.get("private"),
        members=members,
    )


def _pyproject(text: str) -> Package | None:
    data = tomllib.loads(text)
    project = mapping(data.get("project"))
    poetry = mapping(mapping(data.get("tool")).get("poetry"))
    members = mapping(mapping(mapping(data.get("tool")).get("uv")).get("workspace")).get("members")
    if not project and not poetry and not members:
        return Package("", None, language="python")
    listed = [*texts(project.get("dependencies")), *mapping(poetry.get("dependencies"))]
    scripts = project.get("scripts") or poetry.get("scripts")
    return Package(
        "",
        None,
        name=_text(project.get("name")) or _text(poetry.get("name")),
        description=_text(project.get("description")) or _text(poetry.get("description")),
        language="python",
        dependencies=_requirements(listed),
        runs="its scripts" if scripts else "",
        members=texts(members),
    )


def _requirements(lines: Any) -> frozenset[str]:
    found = (_REQUIREMENT.match(line) for line in lines)
    return frozenset(re.sub(r"[-_.]+", "-", match[1]).lower() for match in found if match)


def _setup_cfg(text: str) -> Package | None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    if not parser.has_section("metadata"):
        return None
    required = parser.get("options", "install_requires", fallback="")
    scripts = parser.has_option("options.entry_points", "console_scripts")
    return Package(
        "",
        None,
        name=parser.get("metadata", "name", fallback=""),
        description=parser.get("metadata", "description", fallback=""),
        language="python",
        dependencies=_requirements(required.splitlines()),
        runs="its console scripts" if scripts else "",
    )


def _requirements_txt(text: str) -> Package:
    return Package("", None, language="python", dependencies=_requirements(text.splitlines()))


def _go_mod(text: str) -> Package:
    module = re.search(r"^module\s+\"?([^\s\"]+)", text, re.MULTILINE)
    needed = re.findall(r"^(?:require)?\s+([\w.-]+\.[\w.-]+/\S+)\s+v\d", text, re.MULTILINE)
    return Package(
        "", None, name=module[1] if module else "", language="go", dependencies=frozenset(needed)
    )


def _go_work(text: str) -> Package:
    block = re.search(r"^use\s*\(([^)]*)\)", text, re.MULTILINE)
    used = block[1].split() if block else re.findall(r"^use\s+(\S+)", text, re.MULTILINE)
    return Package("", None, language="go", members=tuple(used))


def _cargo(text: str) -> Package:
    data = tomllib.loads(text)
    package = mapping(data.get("package"))
    return Package(
        "",
        None,
        name=_text(package.get("name")),
        description=_text(package.get("description")),
        language="rust",
        dependencies=frozenset(mapping(data.get("dependencies"))),
        runs="its [[bin]]" if data.get("bin") else "",
        published=package.get("publish") is not False,
        members=texts(mapping(data.get("workspace")).get("members")),
    )


def _pom(text: str) -> Package:
    own = re.sub(
        r"(?s)<(parent|dependencies|build|profiles|dependencyManagement)>.*?</\1>", "", text
    )
    found = {tag: re.search(rf"<{tag}>\s*([^<]+?)\s*</{tag}>", own) for tag in _POM}
    return Package(
        "",
        None,
        name=_first(found["artifactId"]),
        description=_first(found["description"]),
        language="java",
        dependencies=frozenset(re.findall(r"<artifactId>\s*([^<]+?)\s*</artifactId>", text)),
        members=tuple(re.findall(r"<module>\s*([^<]+?)\s*</module>", own)),
    )


_POM = ("artifactId", "description")


def _first(match: re.Match[str] | None) -> str:
    return match[1] if match else ""


def _gradle(text: str) -> Package:
    needed = re.findall(r"""["']([\w.-]+):([\w.-]+)(?::[^"']*)?["']""", text)
    plugins = re.findall(r"""id\s*\(?\s*["']([\w.-]+)["']""", text)
    runs = "the application plugin" if re.search(r"\bapplication\b", text) else ""
    return Package(
        "",
        None,
        language="kotlin" if "kotlin" in text else "java",
        dependencies=frozenset([name for _, name in needed] + plugins),
        runs=runs,
    )


def _settings_gradle(text: str) -> Package:
    name = re.search(r"""rootProject\.name\s*=\s*["']([^"']+)""", text)
    included = re.findall(r"""^\s*include\s*\(?(.+?)\)?\s*$""", text, re.MULTILINE)
    paths = re.findall(r"""["']:?([\w:.-]+)["']""", " ".join(included))
    members = tuple(path.replace(":", "/") for path in paths)
    return Package("", None, name=_first(name), language="java", members=members)


def _gemfile(text: str) -> Package:
    gems = re.findall(r"""^\s*gem\s+["']([^"']+)""", text, re.MULTILINE)
    return Package("", None, language="ruby", dependencies=frozenset(gems))


def _gemspec(text: str) -> Package:
    said = {key: re.search(rf"""\.{key}\s*=\s*["']([^"']+)""", text) for key in ("name", "summary")}
    return Package(
        "", None, name=_first(said["name"]), description=_first(said["summary"]), language="ruby"
    )


def _composer(text: str) -> Package:
    data = json.loads(text)
    return Package(
        "",
        None,
        name=_text(data.get("name")),
        description=_text(data.get("description")),
        language="php",
        dependencies=frozenset(mapping(data.get("require"))),
    )


def _csproj(text: str) -> Package:
    found = {
        tag: re.search(rf"<{tag}>([^<]+)</{tag}>", text) for tag in ("AssemblyName", "Description")
    }
    web = {"Microsoft.NET.Sdk.Web"} if 'Sdk="Microsoft.NET.Sdk.Web"' in text else set()
    needed = set(re.findall(r'<PackageReference\s+Include="([^"]+)"', text)) | web
    return Package(
        "",
        None,
        name=_first(found["AssemblyName"]),
        description=_first(found["Description"]),
        language="csharp",
        dependencies=frozenset(needed),
        runs="OutputType Exe" if "<OutputType>Exe<" in text else "",
    )


def _pnpm(text: str) -> Package:
    return Package(
        "", None, language="javascript", members=texts(mapping(load_yaml(text)).get("packages"))
    )


# The one that knows most of a package first: two in a folder become one.
_READERS: tuple[tuple[str, Callable[[str], Package | None]], ...] = (
    ("package.json", _package_json),
    ("pnpm-workspace.yaml", _pnpm),
    ("pyproject.toml", _pyproject),
    ("setup.cfg", _setup_cfg),
    ("requirements.txt", _requirements_txt),
    ("go.mod", _go_mod),
    ("go.work", _go_work),
    ("Cargo.toml", _cargo),
    ("pom.xml", _pom),
    ("settings.gradle", _settings_gradle),
    ("settings.gradle.kts", _settings_gradle),
    ("build.gradle", _gradle),
    ("build.gradle.kts", _gradle),
    (".gemspec", _gemspec),
    ("Gemfile", _gemfile),
    ("composer.json", _composer),
    (".csproj", _csproj),
)
RANK = {suffix: place for place, (suffix, _) in enumerate(_READERS)}
