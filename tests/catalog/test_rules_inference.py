"""A first catalog file for repositories of many kinds."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.catalog.formats.write import to_yaml
from pilothouse.catalog.formats.yaml import read_documents
from pilothouse.catalog.model import Author, Survey
from pilothouse.catalog.outside.survey import survey, write_new
from pilothouse.catalog.rules import inference, validity
from pilothouse.catalog.rules.inference import manifests, owners
from pilothouse.kernel.errors import Conflict, NotFound
from pilothouse.kernel.refs import EntityRef

INFERRED = Path(__file__).parent / "inferred"  # files as init would write them
OPENAPI = "openapi: 3.1.0\ninfo:\n  title: Checkout API\n  version: 1.0.0\npaths: {}\n"


class Repository:
    """A repository that is written file by file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, **environ: str) -> None:
        identity = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_COMMITTER_NAME": "Ada"}
        identity |= {"GIT_COMMITTER_EMAIL": "ada@acme.example"}
        subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            check=True,
            capture_output=True,
            env={**os.environ, **identity, **environ},
        )

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, name: str, email: str) -> None:
        self.git("add", "-A")
        author = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email}
        self.git("commit", "-q", "--allow-empty", "-m", "x", **author)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "checkout")


def proposed(repository: Repository) -> str:
    """The file that init would write; checked for being a catalog without a single problem."""
    found = inference.propose(survey(repository.path))
    text = to_yaml(found)
    reading = read_documents(text.encode())
    assert reading.ok
    assert not reading.problems
    entities = []
    for document in reading.documents:
        entity, problems = validity.judge(_resolved(document), {})
        assert entity is not None, problems
        assert not problems
        entities.append(entity)
    refs = [str(entity.ref) for entity in entities]
    assert len(set(refs)) == len(refs)
    for entity in entities:
        for edge in entity.edges:
            assert {edge.source, edge.target} <= set(refs)
    bodies = [document.body for document in found.documents]
    assert list(yaml.safe_load_all(text)) == json.loads(json.dumps(bodies))
    return text


def _resolved(document):
    """What reading would put in place of `$text`."""
    import msgspec

    value = document.value
    if isinstance(value["spec"].get("definition"), dict):
        value = value | {"spec": value["spec"] | {"definition": "text"}}
    return msgspec.structs.replace(document, value=value)


def test_a_service_with_all_that_a_repository_can_say(repository: Repository) -> None:
    repository.write(
        {
            "pyproject.toml": (
                '[project]\nname = "acme-checkout"\ndescription = "Takes money: cards, and more."\n'
                'dependencies = ["fastapi>=0.1", "psycopg"]\n'
            ),
            "Dockerfile": "FROM python\n",
            ".github/CODEOWNERS": "# who\n*.md @acme/writers\n*  @acme/Payments @someone\n",
            "compose.yaml": (
                "services:\n  app: {build: ., depends_on: [db, cache, mail]}\n"
                "  db: {image: 'postgres:16'}\n  cache: {image: redis}\n"
                "  mail: {image: mailhog/mailhog}\n  spare: {image: mysql}\n"
            ),
            "api/openapi.yaml": OPENAPI,
            "proto/ledger.proto": 'syntax = "proto3";\nservice Ledger {}\n',
            "docs/index.md": "# Docs\n",
            "docs/runbooks/cards-time-out.md": "# Cards\n",
        }
    )
    repository.git("remote", "add", "origin", "git@github.com:acme/checkout.git")
    repository.commit("Ada", "ada@acme.example")
    repository.git("tag", "v1.4.0")

    assert proposed(repository) == (INFERRED / "service.yaml").read_text()


def test_a_monorepo_is_a_system_of_its_packages(repository: Repository) -> None:
    repository.write(
        {
            "package.json": '{"name": "shop", "private": true, "workspaces": ["apps/*", "libs/*"]}',
            "README.md": "# Shop\n\n[![badge](x)](y)\n\nThe **shop** of [Acme](https://x.y).\n",
            "apps/web/package.json": (
                '{"name": "@acme/web", "dependencies": {"next": "1", "@acme/ui": "workspace:*"}}'
            ),
            "apps/api/package.json": (
                '{"name": "@acme/api", "private": true, "dependencies": {"express": "4"}}'
            ),
            "apps/api/openapi.json": '{"openapi": "3.1.0", "info": {"title": "Shop"}}',
            "libs/ui/package.json": '{"name": "@acme/ui", "description": "Buttons: all of them"}',
            "libs/ui/src/a.ts": "",
            "libs/ui/node_modules/x/package.json": '{"name": "x"}',
            "CODEOWNERS": "* @acme/shop\n/apps/api/ @acme/backend\n",
            ".gitignore": "node_modules\n",
            "docker-compose.yml": (
                "services:\n  api: {build: {context: ./apps/api}, depends_on: {db: {}}}\n"
                "  db: {image: mongo}\n"
            ),
            ".gitlab-ci.yml": "deploy:\n  script: [helm upgrade shop]\n",
        }
    )
    repository.git("remote", "add", "origin", "https://gitlab.com/acme/web/shop.git")
    repository.commit("Ada", "ada@acme.example")

    assert proposed(repository) == (INFERRED / "monorepo.yaml").read_text()


def test_a_repository_with_nothing_but_history_is_owned_by_its_most_active_author(
    repository: Repository,
) -> None:
    repository.write({"main.tf": "x"})
    repository.commit("renovate[bot]", "bot@renovate.example")
    for number in range(5):
        repository.write({"main.tf": str(number)})
        name = "renovate[bot]" if number < 3 else "Zoë Müller"
        repository.commit(
            name, "123+zoe@users.noreply.github.com" if number > 2 else "bot@x.example"
        )

    assert proposed(repository) == (INFERRED / "history.yaml").read_text()


def test_a_folder_without_git_and_without_files_still_gives_a_valid_file(tmp_path: Path) -> None:
    (tmp_path / "ümläut & co").mkdir()
    found = inference.propose(survey(tmp_path / "ümläut & co"))

    assert [one.body["kind"] for one in found.documents] == ["Component", "Group"]
    assert found.documents[0].body["metadata"]["name"] == "umlaut-co"
    assert any("name the team" in note for note in found.notes)


@pytest.mark.parametrize(
    ("files", "name", "kind", "language"),
    [
        ({"go.mod": "module github.com/acme/ledger/v2\n", "main.go": ""}, "ledger", "tool", "go"),
        ({"Cargo.toml": '[package]\nname = "pump"\n', "src/lib.rs": ""}, "pump", "library", "rust"),
        (
            {
                "pom.xml": "<project><parent><artifactId>p</artifactId></parent><artifactId>till"
                "</artifactId><dependencies><dependency><artifactId>spring-boot-starter-web"
                "</artifactId></dependency></dependencies></project>"
            },
            "till", "service", "java",
        ),
        (
            {"build.gradle.kts": 'plugins { id("org.springframework.boot") version "3" }',
             "settings.gradle.kts": 'rootProject.name = "vault"'},
            "vault", "service", "java",
        ),
        ({"Gemfile": 'gem "rails"\n'}, "checkout", "service", "ruby"),
        ({"composer.json": '{"name": "acme/cart"}'}, "cart", "library", "php"),
        (
            {"Till/Till.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"></Project>'},
            "till", "service", "csharp",
        ),
        ({"setup.cfg": "[metadata]\nname = old_lib\n"}, "old_lib", "library", "python"),
        ({"requirements.txt": "Flask==1\n", "app.py": ""}, "checkout", "service", "python"),
        (
            {"package.json": '{"name": "ui", "dependencies": {"vue": "3"}}', "a.ts": ""},
            "ui", "website", "typescript",
        ),
        ({"package.json": "{broken", "Procfile": "web: x"}, "checkout", "service", None),
    ],
)  # fmt: skip
def test_each_languages_manifest_is_read(
    files: dict[str, str], name: str, kind: str, language: str | None, repository: Repository
) -> None:
    repository.write(files)

    body = yaml.safe_load_all(proposed(repository)).__next__()

    assert body["metadata"]["name"] == name
    assert body["spec"]["type"] == kind
    assert body["metadata"].get("tags", [None])[0] == language


@pytest.mark.parametrize(
    ("files", "members"),
    [
        ({"pnpm-workspace.yaml": "packages: ['apps/*', '!apps/b']", "package.json": "{}"}, "a"),
        ({"go.work": "go 1.22\nuse (\n  ./apps/a\n  ./apps/b\n)\n"}, "a b"),
        ({"Cargo.toml": '[workspace]\nmembers = ["apps/*"]\n'}, "a b"),
        ({"pyproject.toml": '[tool.uv.workspace]\nmembers = ["apps/*"]\n'}, "a b"),
        ({"pom.xml": "<project><modules><module>apps/a</module></modules></project>"}, "a"),
        ({"settings.gradle": "include ':apps:a', ':apps:b'"}, "a b"),
        ({}, "a b"),
    ],
)
def test_the_members_of_a_workspace_are_its_components(
    files: dict[str, str], members: str, repository: Repository
) -> None:
    manifest = '{"name": "%s", "dependencies": {"express": "4"}}'
    repository.write({f"apps/{name}/package.json": manifest % name for name in "ab"})
    repository.write({f"apps/{name}/go.mod": f"module x/{name}\n" for name in "ab"})
    repository.write({**files, "examples/c/package.json": manifest % "c"})

    bodies = list(yaml.safe_load_all(proposed(repository)))

    kinds = [body["kind"] for body in bodies]
    assert kinds[0] == "System"
    components = [body["metadata"]["name"] for body in bodies if body["kind"] == "Component"]
    assert components == members.split()


@pytest.mark.parametrize(
    ("rules", "folder", "owner"),
    [
        ("* @acme/all\n/apps/ @acme/apps", "apps/web", "apps"),
        ("* @acme/all\n/apps/ @acme/apps", "libs/x", "all"),
        ("apps/*/ @acme/apps", "apps/web", "apps"),
        ("web @acme/web\n* @acme/all", "apps/web", "all"),
        ("* @acme/all\nweb @acme/web", "apps/web", "web"),
        ("*.js @acme/js\n*.css @acme/js\n/x @acme/y", "apps", "js"),
        ("* @acme/all # because\n#* @acme/none", "", "all"),
        ("^[Section][2] @group/sub/team\n*\n", "", "team"),
        ("* ada@acme.example", "", "ada"),
        ("* @ada", "", "ada"),
        ("/apps", "apps", "owners"),
    ],
)
def test_the_last_rule_of_codeowners_that_covers_a_folder_says_who_owns_it(
    rules: str, folder: str, owner: str
) -> None:
    given_ = Survey("x", (), {".github/CODEOWNERS": rules})

    assert owners.owner_of(folder, given_, owners.rules(given_)).name == owner


def test_every_field_that_was_inferred_is_told_with_its_reason(repository: Repository) -> None:
    repository.write({"Dockerfile": "", "CODEOWNERS": "* @acme/pay"})

    told = inference.report(inference.propose(survey(repository.path)))

    assert told[0] == "Component checkout"
    assert "  spec.type: service  (from Dockerfile)" in told
    assert "  spec.owner: group:default/pay  (from CODEOWNERS line 1)" in told


def test_a_file_that_is_there_is_only_overwritten_when_told(tmp_path: Path) -> None:
    target = write_new(tmp_path, "one\n")

    with pytest.raises(Conflict, match="--force"):
        write_new(tmp_path, "two\n")
    assert target.read_text() == "one\n"
    write_new(tmp_path, "two\n", force=True)
    assert target.read_text() == "two\n"
    assert [path.name for path in tmp_path.iterdir()] == ["catalog-info.yaml"]
    target.rename(tmp_path / "catalog-info.yml")
    with pytest.raises(Conflict, match=r"catalog-info\.yml exists"):
        write_new(tmp_path, "three\n")
    with pytest.raises(NotFound):
        survey(tmp_path / "absent")


def test_links_out_pipes_and_large_files_are_not_read(repository: Repository) -> None:
    (repository.path / "package.json").symlink_to("/etc/passwd")
    os.mkfifo(repository.path / "go.mod")
    repository.write({"Cargo.toml": "#" * 300_000})

    assert survey(repository.path).texts == {}


@given(
    st.dictionaries(
        st.sampled_from([
            "package.json", "pyproject.toml", "go.mod", "Cargo.toml", "compose.yaml", "pom.xml",
            "CODEOWNERS", "a/package.json", "b/setup.cfg", "openapi.yaml", "README.md", "x.proto",
            "pnpm-workspace.yaml", "settings.gradle", "a/Gemfile", "c/y.csproj", "setup.cfg",
        ]),
        st.one_of(
            st.text(max_size=80),
            st.sampled_from(["{}", "[]", "null", "[project]\nname=1",
                             '{"name": 5, "workspaces": 3}',
                             '{"workspaces": ["*"]}', "services: {a: {image: redis}}",
                             '{"name": "a", "description": ["x"]}', "openapi: 3"]),
        ),
        max_size=8,
    ),
    st.lists(st.builds(Author, st.text(), st.text(), st.integers(1, 9)), max_size=3),
    st.text(max_size=20),
)  # fmt: skip
def test_whatever_a_repository_says_the_file_is_valid(texts, authors, name) -> None:
    found = inference.propose(
        Survey(name, tuple(sorted(texts)), texts, authors=tuple(authors), period="x")
    )
    reading = read_documents(to_yaml(found).encode())

    assert reading.ok
    assert not reading.problems
    assert [document.value for document in reading.documents] == [
        one.body for one in found.documents
    ]
    for document in reading.documents:
        _, problems = validity.judge(_resolved(document), {})
        assert not problems
        EntityRef.parse(document.value["metadata"]["name"], kind=document.value["kind"])


@given(st.text(), st.text())
def test_no_manifest_breaks_its_reader(name: str, text: str) -> None:
    for file in ("package.json", "pyproject.toml", "setup.cfg", "go.mod", "pom.xml", "x.csproj"):
        found = manifests.read(f"{name}/{file}", text)
        assert found is None or found.language
