"""What a package is, and whether people depend on it yet."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import TYPE_CHECKING

from pilothouse.catalog.model import Survey
from pilothouse.catalog.rules.inference.model import Guess, Package
from pilothouse.catalog.rules.inference.packages import is_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Names of dependencies, as each language's registry writes them.
_SERVER_NAMES = """
fastapi flask django litestar starlette sanic aiohttp tornado falcon uvicorn gunicorn celery grpcio
express fastify koa @nestjs/core @hapi/hapi hono apollo-server @apollo/server
github.com/gin-gonic/gin github.com/labstack/echo/v4 github.com/go-chi/chi/v5
github.com/gofiber/fiber/v2 google.golang.org/grpc axum actix-web rocket warp tonic
spring-boot-starter-web spring-boot-starter-webflux org.springframework.boot quarkus-resteasy
io.quarkus micronaut-http-server-netty ktor-server-core rails sinatra puma hanami laravel/framework
symfony/framework-bundle slim/slim Microsoft.NET.Sdk.Web
"""
_SITE_NAMES = """
next nuxt astro gatsby @sveltejs/kit @angular/core react-dom vue svelte @remix-run/react solid-js
@docusaurus/core
"""
_SERVERS = frozenset(_SERVER_NAMES.split())
_SITES = frozenset(_SITE_NAMES.split())
_SUFFIXES = {
    "python": ".py",
    "go": ".go",
    "rust": ".rs",
    "java": ".java",
    "kotlin": ".kt",
    "typescript": ".ts .tsx",
    "javascript": ".js .jsx .mjs",
    "ruby": ".rb",
    "php": ".php",
    "csharp": ".cs",
    "swift": ".swift",
    "scala": ".scala",
    "elixir": ".ex .exs",
    "c": ".c",
    "c++": ".cc .cpp",
    "terraform": ".tf",
    "shell": ".sh",
    "clojure": ".clj",
    "haskell": ".hs",
    "dart": ".dart",
    "lua": ".lua",
}
_LANGUAGES = {suffix: name for name, all_of in _SUFFIXES.items() for suffix in all_of.split()}
_RELEASE = re.compile(r"(?:[\w.-]+[@/-])?v?[1-9]\d*\.\d+(?:\.\d+)?")
_SMALL_RELEASE = re.compile(r"(?:[\w.-]+[@/-])?v?0\.\d+(?:\.\d+)?")
_DEPLOYS = re.compile(
    r"\b(?:deploy|helm upgrade|kubectl apply|argocd|terraform apply|flyctl)", re.IGNORECASE
)
_DEPLOYED = frozenset((
    "fly.toml", "Procfile", "app.yaml", "render.yaml", "serverless.yml", "Chart.yaml",
    "kustomization.yaml", "vercel.json", "netlify.toml", "skaffold.yaml", "Pulumi.yaml",
))  # fmt: skip


def type_of(package: Package, paths: Sequence[str], composed: str | None) -> Guess:
    """service, website, library or tool; `composed` is the compose file that builds it."""
    image = next((path for path in paths if is_image(path, package.folder)), None)
    server = sorted(package.dependencies & _SERVERS)
    site = sorted(package.dependencies & _SITES)
    procfile = next((path for path in paths if posixpath.basename(path) == "Procfile"), None)
    serves = (
        (server, f"it depends on {server[0]}" if server else ""),
        (image, f"from {image}"),
        (composed, f"{composed} starts it"),
        (procfile, f"from {procfile}"),
    )
    if site and not server:
        return Guess("website", f"it depends on {site[0]}")
    for found, reason in serves:
        if found:
            return Guess("service", reason)
    return _started_by_hand(package, paths)


def _started_by_hand(package: Package, paths: Sequence[str]) -> Guess:
    main = _main(paths)
    if package.runs or main:
        return Guess("tool", f"it can be run: {package.runs or main}, and it serves nothing")
    if package.manifest:
        return Guess("library", f"{package.manifest}, and nothing that starts it")
    if paths and all(posixpath.splitext(path)[1].lower() in _TEXTS for path in paths):
        return Guess("documentation", "there are only texts")
    return Guess("other", "nothing says what it is: service, website, library, tool")


_TEXTS = frozenset((".md", ".rst", ".txt", ".adoc", ".png", ".svg", ".jpg", ""))


def _main(paths: Iterable[str]) -> str:
    return next(
        (
            path
            for path in paths
            if re.search(r"(?:^|/)(?:main\.go|src/main\.rs|__main__\.py)$", path)
        ),
        "",
    )


def language_of(package: Package, paths: Iterable[str]) -> Guess | None:
    """The language of a package, by its manifest, else by most of its files."""
    counts = Counter(
        _LANGUAGES[suffix]
        for path in paths
        if (suffix := posixpath.splitext(path)[1].lower()) in _LANGUAGES
    )
    if package.language == "javascript" and counts["typescript"] > counts["javascript"]:
        return Guess("typescript", "most of its files")
    if package.language:
        return Guess(package.language, f"from {package.manifest}")
    if not counts:
        return None
    most = max(sorted(counts), key=lambda language: counts[language])
    return Guess(most, "most of its files")


def lifecycle_of(survey: Survey, paths: Sequence[str]) -> Guess:
    """Production where something is released or deployed, else experimental."""
    for tag in survey.tags:
        if _RELEASE.fullmatch(tag):
            return Guess("production", f"it has the release {tag}")
    deployed = next((path for path in paths if posixpath.basename(path) in _DEPLOYED), None)
    if deployed:
        return Guess("production", f"from {deployed}")
    for path in sorted(survey.texts):
        if is_pipeline(path) and (found := _DEPLOYS.search(survey.texts[path])):
            return Guess("production", f"{path} says {found[0].lower()}")
    small = next((tag for tag in survey.tags if _SMALL_RELEASE.fullmatch(tag)), None)
    if small:
        return Guess("experimental", f"its latest release is {small}, before 1.0")
    return Guess("experimental", "no release and no deployment was found")


def is_pipeline(path: str) -> bool:
    """Whether a file is one of a CI system's."""
    return path.startswith(".github/workflows/") or path in (
        ".gitlab-ci.yml", "Jenkinsfile", ".circleci/config.yml", "azure-pipelines.yml",
        "bitbucket-pipelines.yml", ".drone.yml", "cloudbuild.yaml",
    )  # fmt: skip
