"""From a survey of a repository to the documents of its first catalog file."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

from pilothouse.catalog.model import Proposal, Survey
from pilothouse.catalog.rules import urls
from pilothouse.catalog.rules.inference import guesses, owners, resources
from pilothouse.catalog.rules.inference.documents import Draft, owner_document
from pilothouse.catalog.rules.inference.interfaces import Interface, interfaces
from pilothouse.catalog.rules.inference.model import Guess, Owner, Package
from pilothouse.catalog.rules.inference.naming import name_of, package_name, readme_says, unique
from pilothouse.catalog.rules.inference.packages import Layout, layout, within

_MOST_RUNBOOKS = 10
_TEXT_ENDINGS = (".md", ".rst", ".adoc", ".txt")


@dataclass(slots=True)
class _Work:
    """What is known while documents are written."""

    survey: Survey
    layout: Layout
    base: str  # the name of the repository
    rules: list[owners.Rule]
    composed: list[resources.Service]
    owners: dict[str, Owner] = field(default_factory=dict)
    components: list[tuple[Package, Draft]] = field(default_factory=list)
    others: list[Draft] = field(default_factory=list)

    def owner(self, folder: str) -> Owner:
        found = owners.owner_of(folder, self.survey, self.rules)
        return self.owners.setdefault(found.ref, found) and found

    def files(self, package: Package) -> list[str]:
        folders = [one.folder for one in self.layout.packages]
        return within(self.survey.paths, package.folder, folders)

    def web(self, path: str) -> str | None:
        """Where people see a file of the repository."""
        survey = self.survey
        whole = posixpath.join(survey.folder, path)
        links = urls.links(survey.host, survey.repository, survey.branch, whole)
        return links.view if survey.host and links else None


def propose(survey: Survey) -> Proposal:
    """What `survey` says is there, as documents whose refs all lead somewhere.

    Owners come from CODEOWNERS or the most active author, types from dependencies and images,
    APIs from their definitions, resources from compose files. Pure and deterministic.
    """
    base = name_of(survey.repository.rpartition("/")[2] or survey.name, "this-repository")
    found = layout(survey)
    work = _Work(survey, found, base, owners.rules(survey), resources.services(survey.texts))
    system = _system(work) if found.gathered else None
    for package in found.packages:
        work.components.append((package, _component(work, package, system)))
    for package, draft in work.components:
        _add_interfaces(work, package, draft, system)
    _add_resources(work, system)
    _add_own_dependencies(work)
    drafts = [*([system] if system else []), *(draft for _, draft in work.components), *work.others]
    people = [owner_document(work.owners[ref]) for ref in sorted(work.owners)]
    return Proposal((*(draft.done() for draft in drafts), *people), _notes(work))


def _system(work: _Work) -> Draft:
    draft = Draft("System", work.base, work.layout.gathered or "")
    said = readme_says(work.survey.texts, "")
    draft.describe("description", Guess(said[0], f"from {said[1]}") if said else None)
    _annotate(work, draft, "")
    _add_runbooks(work, draft, "")
    draft.own(work.owner(""))
    return draft


def _component(work: _Work, package: Package, system: Draft | None) -> Draft:
    paths = work.files(package)
    draft = _named(work, package)
    _describe(work, draft, package)
    _annotate(work, draft, package.folder)
    draft.tag(guesses.language_of(package, paths))
    if package.folder or system is None:
        _add_runbooks(work, draft, package.folder)
    built = next((one for one in work.composed if one.builds == package.folder), None)
    starts = f"the service {built.name} in {built.file}" if built else None
    draft.guess("type", guesses.type_of(package, paths, starts))
    draft.guess("lifecycle", guesses.lifecycle_of(work.survey, paths))
    draft.own(work.owner(package.folder))
    if system:
        draft.set("system", system.name)
    return draft


def _named(work: _Work, package: Package) -> Draft:
    taken = [draft.name for _, draft in work.components]
    given = package_name(package.name)
    if given:
        return Draft("Component", unique(given, taken), f"from {package.manifest}")
    if package.folder:
        name = name_of(posixpath.basename(package.folder), work.base)
        return Draft("Component", unique(name, taken), f"the folder {package.folder}")
    hosted = f"the repository {work.survey.repository}"
    reason = hosted if work.survey.repository else "the name of the folder"
    return Draft("Component", unique(work.base, taken), reason)


def _describe(work: _Work, draft: Draft, package: Package) -> None:
    if package.description:
        draft.describe("description", Guess(package.description, f"from {package.manifest}"))
    elif said := readme_says(work.survey.texts, package.folder):
        draft.describe("description", Guess(said[0], f"from {said[1]}"))


def _annotate(work: _Work, draft: Draft, folder: str) -> None:
    survey = work.survey
    if survey.host:
        home = urls.repository_url(survey.host, survey.repository)
        place = posixpath.join(survey.folder, folder)
        shown = urls.links(survey.host, survey.repository, survey.branch, place or ".")
        tree = home
        if place and shown:
            tree = shown.view.replace("/blob/", "/tree/", 1)
        draft.annotate("backstage.io/source-location", f"url:{tree}/", "from the git remote")
        for name in ("github", "gitlab", "bitbucket"):
            if name in survey.host:
                key = (
                    f"{name}.com/project-slug"
                    if name != "bitbucket"
                    else "bitbucket.org/project-slug"
                )
                draft.annotate(key, survey.repository, "from the git remote")
    docs = _docs(survey, folder)
    if docs:
        draft.annotate("backstage.io/techdocs-ref", f"dir:./{folder}" if folder else "dir:.", docs)


def _docs(survey: Survey, folder: str) -> str | None:
    lead = f"{folder}/" if folder else ""
    for name in ("mkdocs.yml", "mkdocs.yaml"):
        if lead + name in survey.paths:
            return f"from {lead}{name}"
    index = next(
        (path for path in survey.paths
         if path.startswith(f"{lead}docs/") and path.endswith(".md")), None
    )  # fmt: skip
    return f"the folder {lead}docs has Markdown" if index else None


def _add_runbooks(work: _Work, draft: Draft, folder: str) -> None:
    others = [one.folder for one in work.layout.packages]
    found = [
        path for path in within(work.survey.paths, folder, others) if _is_runbook(path.lower())
    ]
    for path in sorted(found)[:_MOST_RUNBOOKS]:
        url = work.web(path)
        if url:
            title = (
                posixpath.splitext(posixpath.basename(path))[0].replace("-", " ").replace("_", " ")
            )
            draft.link(url, title[:1].upper() + title[1:], "runbook", f"from {path}")


def _is_runbook(path: str) -> bool:
    folders, _, name = path.rpartition("/")
    if not name.endswith(_TEXT_ENDINGS):
        return False
    kept = {"runbook", "runbooks", "playbooks"} & set(folders.split("/"))
    return name.startswith("runbook") or (bool(kept) and not name.startswith(("readme.", "index.")))


def _add_interfaces(work: _Work, package: Package, draft: Draft, system: Draft | None) -> None:
    for found in interfaces(work.files(package), work.survey.texts):
        api = Draft("API", _interface_name(work, found, draft.name), f"from {found.path}")
        if found.title and found.type != "grpc":
            api.describe("title", Guess(found.title, f"from {found.path}"))
        api.set("type", found.type, "by the file's name and beginning")
        api.set("lifecycle", draft.spec["lifecycle"], f"as {draft.name}")
        api.set("owner", draft.spec["owner"], f"as {draft.name}")
        if system:
            api.set("system", system.name)
        api.set("definition", {"$text": f"./{found.path}"})
        work.others.append(api)
        draft.add("providesApis", [(api.name, f"from {found.path}")])


def _interface_name(work: _Work, found: Interface, component: str) -> str:
    stem = posixpath.basename(found.path).partition(".")[0].lower()
    told = found.title if found.type == "grpc" else ""
    generic = stem in {"openapi", "swagger", "asyncapi", "schema", "api"}
    name = name_of(told) if told else component if generic else name_of(stem)
    taken = [draft.name for draft in work.others if draft.kind == "API"]
    return unique(f"{name}-api" if generic and not name.endswith("api") else name, taken)


def _add_resources(work: _Work, system: Draft | None) -> None:
    """Typed services of compose files, and who needs them."""
    made: dict[str, Draft] = {}
    owner = work.owner("") if any(one.type for one in work.composed) else None
    for one in work.composed:
        if one.type and owner:
            name = one.name if one.name.startswith(work.base) else f"{work.base}-{one.name}"
            made[one.name] = draft = Draft(
                "Resource", name_of(name), f"service {one.name} in {one.file}"
            )
            draft.set("type", one.type, f"image {one.image}")
            draft.own(owner)
            if system:
                draft.set("system", system.name)
    work.others += made.values()
    for package, component in work.components:
        component.add("dependsOn", _needed(work, package, made))


def _needed(work: _Work, package: Package, made: dict[str, Draft]) -> list[tuple[str, str]]:
    """Resources that a package's own compose service needs; all of them where it is alone."""
    own = [one for one in work.composed if one.builds == package.folder]
    if own:
        named = {need: one for one in own for need in one.needs}
        return [(made[need].ref, f"{one.name} needs it in {one.file}")
                for need, one in named.items() if need in made]  # fmt: skip
    if len(work.components) == 1:
        return [(draft.ref, draft.reasons["metadata", "name"]) for draft in made.values()]
    return []


def _add_own_dependencies(work: _Work) -> None:
    """What packages of the repository need of each other."""
    by_name = {
        called: draft
        for package, draft in work.components
        if package.name
        for called in (package.name, package.name.lower().replace("_", "-"))
    }
    for package, draft in work.components:
        for needed in sorted(package.dependencies):
            other = by_name.get(needed)
            if other is not None and other is not draft:
                draft.add("dependsOn", [(other.ref, f"from {package.manifest}")])


def _notes(work: _Work) -> tuple[str, ...]:
    notes: list[str] = []
    if work.layout.left_out:
        notes.append(
            f"{work.layout.left_out} more packages were left out: add those you care about"
        )
    if not work.survey.host:
        notes.append("There is no git remote on a known host, so nothing links to the source")
    unsure = [owner for owner in work.owners.values() if "nobody" in owner.reason]
    notes += [f"{owner.ref}: {owner.reason}" for owner in unsure]
    if not work.rules and not unsure:
        notes.append("Without a CODEOWNERS file the owner is a guess: name the team instead")
    return tuple(notes)
