"""Files are the truth: what the catalog makes of them as they come, change and go."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.catalog.following import (
    Following,
    Repository,
    component,
    following,
    group,
    location,
    several,
    write,
)

from pilothouse.catalog import jobs
from pilothouse.catalog.outside.sources import open_source
from pilothouse.catalog.service import browsing, passes
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "catalog-info.yaml"
CHECKOUT = "component:default/checkout"
PAYMENTS = "component:default/payments"
TEAM = group("team-a")


@pytest.fixture
def catalog(database_url: str, tmp_path: Path) -> Iterator[Following]:
    with following(database_url, tmp_path / "data") as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.mkdir()
    return path


def test_a_pass_counts_what_it_added_changed_removed_and_left(
    catalog: Following, folder: Path
) -> None:
    write(folder, FILE, several(TEAM, component("a"), component("b"), component("c")))
    assert catalog.follow(folder) == [(4, 0, 0, 0)]
    write(folder, FILE, several(TEAM, component("a", type="website"), component("c")))
    other = component("d", type="library", lifecycle="experimental")
    write(folder, "x/catalog-info.yaml", other)
    assert catalog.counts(folder) == (1, 1, 1, 2)
    assert catalog.counts(folder) == (0, 0, 0, 0)
    assert catalog.names() == {"team-a", "a", "c", "d"}


def test_every_change_is_told_with_the_entities_it_touched(
    catalog: Following, folder: Path
) -> None:
    write(folder, FILE, several(TEAM, component("a"), component("b")))
    catalog.follow(folder)
    write(folder, FILE, several(TEAM, component("a", type="website")))
    catalog.look(folder)
    first, second, third = catalog.told()
    assert first == (
        {"added": 3, "changed": 0, "removed": 0},
        {"group:default/team-a", "component:default/a", "component:default/b"},
    )
    assert second == ({"added": 0, "changed": 1, "removed": 0}, {"component:default/a"})
    assert third == ({"added": 0, "changed": 0, "removed": 1}, {"component:default/b"})


def test_what_is_deleted_leaves_the_catalog_and_keeps_its_history(
    catalog: Following, folder: Path
) -> None:
    write(folder, FILE, several(TEAM, component("checkout")))
    catalog.follow(folder)
    uid = catalog.entity(CHECKOUT).uid
    write(folder, FILE, TEAM)
    catalog.look(folder)
    with pytest.raises(NotFound):
        catalog.entity(CHECKOUT)
    assert catalog.history(CHECKOUT) == ["removed", "added"]
    write(folder, FILE, several(TEAM, component("checkout", type="website")))
    catalog.look(folder)
    assert catalog.history(CHECKOUT) == ["added", "removed", "added"]
    assert catalog.entity(CHECKOUT).uid == uid


@pytest.mark.parametrize("emptied", ["", "---\n---\n", "# nothing\n"])
def test_a_file_that_is_emptied_gives_nothing_more(
    catalog: Following, folder: Path, emptied: str
) -> None:
    write(folder, FILE, several(TEAM, component("checkout")))
    catalog.follow(folder)
    write(folder, FILE, emptied)
    assert catalog.counts(folder)[2] == 2
    assert catalog.refs() == set()
    assert catalog.problems() == []


def test_a_rename_keeps_identity_and_history_and_leaves_a_way_from_the_old_name(
    catalog: Following, folder: Path
) -> None:
    more = {"tier": 1, "language": "go"}
    write(folder, FILE, several(TEAM, component("checkout", **more)))
    catalog.follow(folder)
    uid = catalog.entity(CHECKOUT).uid
    write(folder, FILE, several(TEAM, component("payments", **more, runtime="k8s")))
    assert catalog.counts(folder)[:3] == (0, 1, 0)
    assert catalog.entity(PAYMENTS).uid == uid
    assert catalog.moved_to(CHECKOUT) == "/catalog/component/default/payments"
    newest, oldest = catalog.versions(PAYMENTS)
    assert (newest.change, oldest.change) == ("renamed", "added")
    said = {change.field: (change.before, change.after) for change in newest.changes}
    assert said == {
        "metadata.name": (CHECKOUT, PAYMENTS),
        "spec.runtime": (None, "k8s"),
    }
    assert catalog.told()[-1][1] == {CHECKOUT, PAYMENTS}


def test_a_name_taken_back_finds_its_identity_again(catalog: Following, folder: Path) -> None:
    uids = []
    for name in ("checkout", "payments", "checkout", "payments"):
        write(folder, FILE, several(TEAM, component(name)))
        catalog.follow(folder)
        uids.append(catalog.entity(f"component:default/{name}").uid)
    assert len(set(uids)) == 1
    assert catalog.history(PAYMENTS) == ["renamed", "renamed", "renamed", "added"]
    assert catalog.moved_to(PAYMENTS) is None


def test_a_new_entity_with_a_former_name_is_another(catalog: Following, folder: Path) -> None:
    write(folder, FILE, several(TEAM, component("checkout")))
    catalog.follow(folder)
    write(folder, FILE, several(TEAM, component("payments")))
    catalog.look(folder)
    write(folder, FILE, TEAM)
    catalog.look(folder)
    write(folder, FILE, several(TEAM, component("payments"), component("checkout")))
    catalog.look(folder)
    assert catalog.entity(CHECKOUT).uid != catalog.entity(PAYMENTS).uid


def test_two_documents_that_swap_their_names_swap_their_content(
    catalog: Following, folder: Path
) -> None:
    for first, second in (("a", "b"), ("b", "a")):
        write(folder, "1/catalog-info.yaml", component(first, type="one"))
        write(folder, "2/catalog-info.yaml", component(second, type="two"))
        write(
            folder, "3/catalog-info.yaml", several(component(f"x{first}"), component(f"x{second}"))
        )
        catalog.follow(folder)
    assert catalog.spec("component:default/a", "type") == "two"
    assert catalog.spec("component:default/b", "type") == "one"
    assert catalog.history("component:default/a") == ["changed", "added"]
    assert catalog.history("component:default/xa") == ["added"]
    assert not [code for code in catalog.codes() if code != "dangling-ref"]


def test_a_document_moved_to_another_file_is_followed(catalog: Following, folder: Path) -> None:
    write(folder, "a/catalog-info.yaml", component("checkout"))
    catalog.follow(folder)
    uid = catalog.entity(CHECKOUT).uid
    shutil.move(folder / "a", folder / "b")
    assert catalog.counts(folder)[2] == 0
    assert catalog.entity(CHECKOUT).uid == uid
    assert catalog.entity(CHECKOUT).path == "b/catalog-info.yaml"
    assert catalog.history(CHECKOUT) == ["moved", "added"]


def test_a_document_moved_and_put_in_another_order_stands_where_it_is_now(
    catalog: Following, folder: Path
) -> None:
    write(folder, "a/catalog-info.yaml", component("checkout", dependsOn=["api:x", "api:y"]))
    catalog.follow(folder)
    shutil.rmtree(folder / "a")
    write(folder, "b/catalog-info.yaml", component("checkout", dependsOn=["api:y", "api:x"]))
    catalog.look(folder)
    assert catalog.entity(CHECKOUT).path == "b/catalog-info.yaml"


def test_a_document_moved_to_another_source_is_followed(catalog: Following, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one, FILE, several(TEAM, component("checkout")))
    write(two, FILE, component("other"))
    catalog.follow(one, two)
    uid = catalog.entity(CHECKOUT).uid
    write(two, FILE, several(component("other"), component("checkout")))
    catalog.look(two)
    write(one, FILE, TEAM)
    assert catalog.counts(one)[2] == 0
    assert catalog.entity(CHECKOUT).uid == uid
    assert catalog.entity(CHECKOUT).origin == str(two)
    assert catalog.history(CHECKOUT) == ["moved", "added"]


def test_a_document_whose_old_place_is_seen_first_goes_and_comes_back_as_itself(
    catalog: Following, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one, FILE, several(TEAM, component("checkout")))
    write(two, FILE, component("other"))
    catalog.follow(one, two)
    uid = catalog.entity(CHECKOUT).uid
    write(one, FILE, TEAM)
    write(two, FILE, several(component("other"), component("checkout")))
    catalog.look(one)
    catalog.look(two)
    assert catalog.entity(CHECKOUT).uid == uid
    assert catalog.history(CHECKOUT) == ["added", "removed", "added"]


# Two documents, one name


def test_the_first_of_two_documents_by_source_path_and_place_keeps_the_name(
    catalog: Following, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(two, "a/catalog-info.yaml", component("checkout", type="two"))
    write(one, "é/catalog-info.yaml", component("checkout", type="path"))
    write(
        one,
        "z/catalog-info.yaml",
        several(component("checkout", type="first"), component("checkout", type="place")),
    )
    catalog.sources(one, two)
    catalog.look(one)
    assert catalog.spec(CHECKOUT, "type") == "first"
    catalog.look(two)
    assert catalog.spec(CHECKOUT, "type") == "first"
    contested = catalog.problems("contested-ref")
    assert [problem.file for problem in contested] == ["z/catalog-info.yaml"]
    assert f"a/catalog-info.yaml:1 in {two}" in contested[0].message
    duplicates = catalog.problems("duplicate-ref")
    assert sorted((problem.file, problem.line) for problem in duplicates) == [
        ("a/catalog-info.yaml", 1),
        ("z/catalog-info.yaml", 10),
        ("é/catalog-info.yaml", 1),
    ]
    assert all("z/catalog-info.yaml:1" in problem.message for problem in duplicates)


def test_the_document_that_has_a_name_keeps_it_when_an_earlier_one_comes(
    catalog: Following, folder: Path
) -> None:
    write(folder, "b/catalog-info.yaml", component("checkout", type="there"))
    catalog.follow(folder)
    write(folder, "a/catalog-info.yaml", component("checkout", type="late"))
    catalog.look(folder)
    assert catalog.spec(CHECKOUT, "type") == "there"
    assert catalog.problems("duplicate-ref")[0].file == "a/catalog-info.yaml"


@pytest.mark.parametrize("same_source", [True, False])
def test_when_the_holder_of_a_name_goes_its_rival_takes_over(
    catalog: Following, tmp_path: Path, *, same_source: bool
) -> None:
    one, two = tmp_path / "one", tmp_path / ("one" if same_source else "two")
    holder = write(one, "a/catalog-info.yaml", component("checkout", type="first"))
    write(two, "b/catalog-info.yaml", component("checkout", type="second"))
    specs = [one] if same_source else [one, two]
    catalog.follow(*specs)
    uid = catalog.entity(CHECKOUT).uid
    assert catalog.codes().count("duplicate-ref") == 1
    holder.unlink()
    assert catalog.counts(one)[:3] == (0, 1, 0) or catalog.history(CHECKOUT)[0] == "changed"
    assert catalog.spec(CHECKOUT, "type") == "second"
    assert catalog.entity(CHECKOUT).uid == uid
    assert not {"duplicate-ref", "contested-ref"} & set(catalog.codes())


def test_a_name_claimed_by_hundreds_is_told_briefly(catalog: Following, folder: Path) -> None:
    write(folder, FILE, several(*[component("checkout")] * 300))
    catalog.follow(folder)
    assert catalog.codes().count("duplicate-ref") == 299
    assert len(catalog.problems("contested-ref")[0].message) < 400
    assert catalog.refs() == {CHECKOUT}


def test_a_rival_that_changes_leaves_a_holder_that_is_not_valid_now_where_it_is(
    catalog: Following, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one, FILE, component("checkout", type="first"))
    write(two, FILE, component("checkout", type="second"))
    catalog.follow(one, two)
    write(one, FILE, component("checkout", type=3))
    catalog.look(one)
    write(two, FILE, component("checkout", type="third"))
    catalog.look(two)
    assert catalog.spec(CHECKOUT, "type") == "first"
    assert catalog.entity(CHECKOUT).stale
    write(one, FILE, component("other"))
    catalog.look(one)
    assert catalog.spec(CHECKOUT, "type") == "third"
    assert catalog.entity(CHECKOUT).stale is None


# What is not valid now


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (component("checkout", type=3), "spec.type"),
        (component("checkout", extra="").replace("owner", "owned"), "spec.owner"),
        (component("check out"), "metadata.name"),
        (component("сheckout"), "metadata.name"),  # noqa: RUF001
        ("just words", "mapping"),
        (component("checkout").replace("name:", "nam:"), "metadata.name"),
    ],
)
def test_a_document_that_stops_being_valid_keeps_its_last_good_version_and_heals(
    catalog: Following, folder: Path, broken: str, why: str
) -> None:
    write(folder, FILE, several(TEAM, component("checkout"), component("other")))
    catalog.follow(folder)
    write(folder, FILE, several(TEAM, broken + "\n", component("other", type="website")))
    catalog.look(folder)
    kept = catalog.entity(CHECKOUT)
    assert kept.stale
    assert why in kept.stale
    assert catalog.spec(CHECKOUT, "type") == "service"
    assert catalog.spec("component:default/other", "type") == "website"
    assert [problem.line for problem in catalog.problems() if problem.severity == "error"] == [
        pytest.approx(13, abs=6)
    ]
    write(folder, FILE, several(TEAM, component("checkout"), component("other", type="website")))
    catalog.look(folder)
    assert catalog.entity(CHECKOUT).stale is None
    assert catalog.history(CHECKOUT) == ["added"]
    assert catalog.problems() == []


@pytest.mark.parametrize("broken", [b"a: [", b"\x00", b"\xff\xfea\x00", b"a: *b", b"\tkind: x"])
def test_a_file_that_is_no_longer_yaml_keeps_all_that_it_gave(
    catalog: Following, folder: Path, broken: bytes
) -> None:
    good = several(TEAM, component("checkout"), component("other"))
    write(folder, FILE, good)
    catalog.follow(folder)
    write(folder, FILE, broken)
    assert catalog.counts(folder)[2] == 0
    assert catalog.names() == {"team-a", "checkout", "other"}
    assert all(catalog.entity(ref).stale for ref in catalog.refs())
    assert [problem.severity for problem in catalog.problems()] == ["error"]
    assert catalog.counts(folder) == (0, 0, 0, 0)
    write(folder, FILE, good)
    catalog.look(folder)
    assert not any(catalog.entity(ref).stale for ref in catalog.refs())
    assert catalog.problems() == []


def test_one_broken_document_does_not_keep_others_of_its_file_from_changing(
    catalog: Following, folder: Path
) -> None:
    write(folder, FILE, several(TEAM, component("checkout"), component("other")))
    catalog.follow(folder)
    write(folder, FILE, several(TEAM, "a: [\n", component("other", type="website")))
    catalog.look(folder)
    assert catalog.entity(CHECKOUT).stale
    assert catalog.spec("component:default/other", "type") == "website"
    assert catalog.entity("component:default/other").stale is None


def test_a_source_that_disappears_keeps_everything_is_told_and_heals(
    catalog: Following, folder: Path
) -> None:
    write(folder, FILE, several(TEAM, component("checkout")))
    catalog.follow(folder)
    shutil.move(folder, folder.with_name("away"))
    assert catalog.look(folder).failed
    assert catalog.names() == {"team-a", "checkout"}
    assert catalog.codes() == ["unreachable-source"]
    assert str(folder) in catalog.problems()[0].message
    assert catalog.entity(CHECKOUT).stale == "its source cannot be read"
    shutil.move(folder.with_name("away"), folder)
    assert catalog.look(folder).failed is None
    assert catalog.problems() == []
    assert catalog.entity(CHECKOUT).stale is None
    assert catalog.history(CHECKOUT) == ["added"]


def test_a_document_that_is_not_valid_stays_so_when_its_source_comes_back(
    catalog: Following, folder: Path
) -> None:
    write(folder, FILE, several(TEAM, component("checkout")))
    catalog.follow(folder)
    write(folder, FILE, several(TEAM, component("checkout", type=3)))
    catalog.look(folder)
    why = catalog.entity(CHECKOUT).stale
    shutil.move(folder, folder.with_name("away"))
    catalog.look(folder)
    shutil.move(folder.with_name("away"), folder)
    catalog.look(folder)
    assert catalog.entity(CHECKOUT).stale == why


def test_a_source_absent_at_the_next_start_leaves_with_its_history_kept(
    catalog: Following, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one, FILE, several(TEAM, component("checkout"), component("both", type="one")))
    write(
        two, FILE, several(component("user", dependsOn=[CHECKOUT]), component("both", type="two"))
    )
    catalog.follow(one, two)
    catalog.sources(two)
    assert catalog.names() == {"user", "both"}
    assert catalog.spec("component:default/both", "type") == "two"
    assert catalog.history(CHECKOUT) == ["removed", "added"]
    assert {problem.found for problem in catalog.problems("dangling-ref")} == {
        CHECKOUT,
        "group:default/team-a",
    }
    assert set(catalog.codes()) == {"dangling-ref"}


def test_a_source_named_twice_is_one(catalog: Following, folder: Path) -> None:
    write(folder, FILE, several(TEAM, component("checkout")))
    catalog.sources(folder, folder)
    catalog.look(folder)
    assert catalog.problems() == []


# References


def test_a_reference_to_nothing_is_told_until_its_target_comes_and_again_when_it_goes(
    catalog: Following, folder: Path
) -> None:
    write(folder, "a/catalog-info.yaml", component("checkout", dependsOn=[PAYMENTS]))
    write(folder, "b/catalog-info.yaml", TEAM)
    catalog.follow(folder)
    found = catalog.problems("dangling-ref")
    assert [(problem.found, problem.field, problem.line) for problem in found] == [
        (PAYMENTS, "spec.dependsOn.0", 9)
    ]
    target = write(folder, "c/catalog-info.yaml", component("payments"))
    catalog.look(folder)
    assert catalog.problems() == []
    target.unlink()
    catalog.look(folder)
    assert [problem.file for problem in catalog.problems("dangling-ref")] == ["a/catalog-info.yaml"]


def test_a_reference_one_slip_from_an_entity_says_which_is_meant(
    catalog: Following, folder: Path
) -> None:
    write(folder, FILE, several(group("payments"), component("checkout", owner="paymnets")))
    catalog.follow(folder)
    assert [problem.hint for problem in catalog.problems("dangling-ref")] == [
        "group:default/payments"
    ]


def test_relations_between_sources_dangle_until_the_other_source_is_read(
    catalog: Following, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one, FILE, component("checkout"))
    write(two, FILE, TEAM)
    catalog.sources(one, two)
    catalog.look(one)
    assert catalog.codes() == ["dangling-ref"]
    catalog.look(two)
    assert catalog.codes() == []
    with catalog.program.db.read() as tx:
        found = browsing.relations_of(tx, ["group:default/team-a"])
    assert found["group:default/team-a"] == [("ownerOf", CHECKOUT)]


@pytest.mark.parametrize("inserted", ["above", "within"])
def test_lines_of_problems_stay_right_when_lines_come_before_them(
    catalog: Following, folder: Path, inserted: str
) -> None:
    text = several(component("checkout", owner="nobody"), component("x", type=3))
    write(folder, FILE, text)
    catalog.follow(folder)
    before = {(problem.code, problem.found): problem.line for problem in catalog.problems()}
    shifted = (
        f"# one\n# two\n{text}"
        if inserted == "above"
        else text.replace("spec:\n", "spec:\n  # one\n  # two\n", 1)
    )
    write(folder, FILE, shifted)
    assert catalog.counts(folder)[:3] == (0, 0, 0)
    after = {(problem.code, problem.found): problem.line for problem in catalog.problems()}
    assert after == {key: line + 2 for key, line in before.items()}


# Locations and placeholders


def test_a_problem_is_as_old_as_it_is_however_often_its_file_is_read(
    catalog: Following, folder: Path
) -> None:
    broken = component("a", owner="nobody") + "---\nkind: 3\n"
    write(folder, "catalog-info.yaml", broken)
    catalog.follow(folder)
    before = catalog.since()
    assert before.keys() > {"dangling-ref"}
    write(folder, "catalog-info.yaml", f"# a line more\n{broken}")
    catalog.look(folder)
    assert catalog.since() == before
    write(folder, "catalog-info.yaml", component("a", owner="others"))
    catalog.look(folder)
    assert catalog.since().keys() == {"dangling-ref"}
    assert catalog.since() != {"dangling-ref": before["dangling-ref"]}


def test_locations_bring_files_nested_by_glob_and_round_in_circles(
    catalog: Following, folder: Path
) -> None:
    write(folder, FILE, several(location("./teams/*.yaml", "a.yaml"), TEAM))
    write(folder, "teams/1.yaml", component("one"))
    write(folder, "teams/2.yaml", component("two"))
    write(folder, "a.yaml", several(location("b.yaml", name="a"), component("three")))
    write(folder, "b.yaml", several(location("a.yaml", FILE, name="b"), component("four")))
    catalog.follow(folder)
    assert catalog.names() == {"more", "a", "b", "team-a", "one", "two", "three", "four"}
    assert catalog.problems() == []
    write(folder, "teams/3.yaml", component("five"))
    assert catalog.counts(folder) == (1, 0, 0, 0)
    write(folder, "a.yaml", component("three"))
    catalog.look(folder)
    assert catalog.names() == {"more", "team-a", "one", "two", "three", "five"}


@pytest.mark.parametrize("target", ["later.yaml", "./later*.yaml", "deep/*/x.yaml"])
def test_a_location_without_a_file_is_told_until_the_file_comes(
    catalog: Following, folder: Path, target: str
) -> None:
    write(folder, FILE, several(location(target), TEAM))
    catalog.follow(folder)
    assert [(p.code, p.field, p.line) for p in catalog.problems()] == [
        ("bad-location", "spec.targets.0", 6)
    ]
    assert catalog.names() == {"more", "team-a"}
    path = target.replace("./", "").replace("*", "")
    came = write(folder, path.replace("//", "/some/"), component("checkout"))
    catalog.look(folder)
    assert CHECKOUT in catalog.refs()
    assert catalog.problems() == []
    came.unlink()
    catalog.look(folder)
    assert CHECKOUT not in catalog.refs()
    assert catalog.codes() == ["bad-location"]


def test_an_optional_location_without_a_file_is_no_problem(
    catalog: Following, folder: Path
) -> None:
    write(folder, FILE, several(location("later.yaml", presence="optional"), TEAM))
    catalog.follow(folder)
    assert catalog.problems() == []
    write(folder, "later.yaml", component("checkout"))
    catalog.look(folder)
    assert CHECKOUT in catalog.refs()


@pytest.mark.parametrize(
    "broken",
    ["a: [", several(location("").replace('""', "3"), TEAM), several(location("a.yaml"), "a: [\n")],
)
def test_a_location_that_is_not_valid_now_keeps_what_it_brought(
    catalog: Following, folder: Path, broken: str
) -> None:
    good = several(location("a.yaml"), TEAM)
    write(folder, FILE, good)
    write(folder, "a.yaml", component("checkout"))
    catalog.follow(folder)
    write(folder, FILE, broken)
    for _ in range(2):
        assert catalog.counts(folder)[2] == 0
        assert CHECKOUT in catalog.refs()
    write(folder, "a.yaml", component("checkout", type="website"))
    catalog.look(folder)
    assert catalog.spec(CHECKOUT, "type") == "website"
    write(folder, FILE, good)
    catalog.look(folder)
    assert catalog.problems() == []


def test_a_text_that_a_document_takes_from_another_file_is_followed(
    catalog: Following, folder: Path
) -> None:
    api = "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: pay}\nspec:\n"
    api += "  type: openapi\n  lifecycle: production\n  owner: team-a\n"
    write(folder, FILE, several(TEAM, f"{api}  definition: {{$text: ./openapi.yaml}}\n"))
    catalog.follow(folder)
    assert catalog.codes() == ["bad-placeholder"]
    write(folder, "openapi.yaml", "openapi: 3.0.0")
    catalog.look(folder)
    assert catalog.problems() == []
    first = catalog.entity("api:default/pay").definition
    write(folder, "openapi.yaml", "openapi: 3.1.0")
    assert catalog.counts(folder)[:3] == (0, 1, 0)
    assert catalog.entity("api:default/pay").definition not in (None, first)
    (folder / "openapi.yaml").unlink()
    catalog.look(folder)
    assert "openapi.yaml" in (catalog.entity("api:default/pay").stale or "")
    assert catalog.codes() == ["bad-placeholder"]


# Large passes, and passes that are cut off


def test_a_file_with_thousands_of_documents_comes_and_goes(
    catalog: Following, folder: Path
) -> None:
    many = [component(f"c{number}") for number in range(2_500)]
    write(folder, FILE, several(TEAM, *many))
    assert catalog.follow(folder) == [(2_501, 0, 0, 0)]
    assert sum(len(entities) for _data, entities in catalog.told()) == 2_501
    write(folder, FILE, several(TEAM, *many[:10]))
    assert catalog.counts(folder) == (0, 0, 2_490, 11)


LOOK = """
import sys
from pilothouse import app
from pilothouse.catalog import jobs
from pilothouse.kernel.program import open_program
from pilothouse.kernel.settings import load
jobs.CHUNK_FILES = 1
url, data, spec = sys.argv[1:]
program = open_program(load({"data": data, "database_url": url}, environ={}), app.modules())
jobs.look(program, spec)
"""


def killed_look(database_url: str, data: Path, spec: Path, place: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK, database_url, str(data), str(spec)],
        env={**os.environ, "PILOTHOUSE_CRASH_AT": place},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -9, done.stderr.decode()


@pytest.mark.parametrize("place", ["catalog.taken", "catalog.taken:2", "catalog.finished"])
def test_a_pass_killed_half_way_is_made_good_by_the_next(
    catalog: Following, folder: Path, database_url: str, tmp_path: Path, place: str
) -> None:
    write(
        folder,
        "a/catalog-info.yaml",
        several(TEAM, component("checkout"), component("gone", type="library", lifecycle="old")),
    )
    write(folder, "b/catalog-info.yaml", component("user", dependsOn=["component:gone"]))
    other = tmp_path / "other"
    write(other, FILE, component("far", dependsOn=["component:gone"]))
    catalog.follow(folder, other)
    uid = catalog.entity(CHECKOUT).uid
    write(folder, "a/catalog-info.yaml", several(TEAM, component("payments")))
    write(folder, "c/catalog-info.yaml", component("later", type="library", lifecycle="new"))
    killed_look(database_url, tmp_path / "data", folder, place)
    catalog.look(folder)
    assert catalog.names() == {"team-a", "payments", "user", "later", "far"}
    assert catalog.entity(PAYMENTS).uid == uid
    assert catalog.history(PAYMENTS) == ["renamed", "added"]
    assert catalog.history("component:default/gone") == ["removed", "added"]
    assert sorted(problem.file for problem in catalog.problems("dangling-ref")) == [
        "b/catalog-info.yaml",
        FILE,
    ]
    assert catalog.counts(folder) == (0, 0, 0, 0)


def test_a_pass_killed_after_files_went_still_tells_what_refers_to_them(
    catalog: Following, folder: Path, database_url: str, tmp_path: Path
) -> None:
    write(folder, "a/catalog-info.yaml", several(TEAM, component("gone")))
    write(folder, "b/catalog-info.yaml", component("user", dependsOn=["component:gone"]))
    catalog.follow(folder)
    shutil.rmtree(folder / "a")
    killed_look(database_url, tmp_path / "data", folder, "catalog.finished")
    catalog.look(folder)
    assert {problem.found for problem in catalog.problems("dangling-ref")} == {
        "component:default/gone",
        "group:default/team-a",
    }


def test_a_pass_over_one_source_leaves_what_another_pass_is_moving(
    catalog: Following, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one, "a/catalog-info.yaml", several(TEAM, component("checkout")))
    write(two, FILE, component("other"))
    catalog.follow(one, two)
    write(one, "a/catalog-info.yaml", TEAM)
    write(one, "b/catalog-info.yaml", component("checkout"))
    write(two, FILE, component("other", type="website"))
    monkeypatch.setattr(jobs, "CHUNK_FILES", 1)

    class Slow:
        """A source that is read while another is."""

        def __init__(self) -> None:
            self.origin = open_source(str(one), tmp_path)

        def __getattr__(self, name: str) -> object:
            return getattr(self.origin, name)

        def read(self, path: str, limit: int) -> bytes:
            if path.startswith("b/"):
                catalog.look(two)
            return self.origin.read(path, limit)

    with catalog.program.db.read() as tx:
        source = passes.source(tx, str(one))
    run = jobs.Pass(catalog.program.db, source, Slow(), catalog.program.kinds)
    run.run()
    tally = run.tally
    assert tally.removed == 0
    assert catalog.history(CHECKOUT) == ["moved", "added"]


# Git


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "remote").mkdir()
    return Repository(tmp_path / "remote")


@pytest.mark.parametrize("bare", [True, False])
def test_each_version_from_a_repository_names_its_commit_and_author(
    catalog: Following, repository: Repository, *, bare: bool
) -> None:
    first = repository.commit("ann", "Begin", catalog_info=several(TEAM, component("checkout")))
    source = repository.bare if bare else repository.url
    catalog.follow(source)
    second = repository.commit(
        "bob", "A website", catalog_info=several(TEAM, component("checkout", type="website"))
    )
    catalog.look(source)
    third = repository.commit(
        "cyd", "Rename", catalog_info=several(TEAM, component("payments", type="website"))
    )
    catalog.look(source)
    fourth = repository.commit("dan", "Away", catalog_info=TEAM)
    catalog.look(source)
    told = [
        (v.change.value, v.commit and (v.commit.id, v.commit.author))
        for v in catalog.versions(PAYMENTS)
    ]
    assert told == [
        ("removed", (fourth, "dan")),
        ("renamed", (third, "cyd")),
        ("changed", (second, "bob")),
        ("added", (first, "ann")),
    ]
    assert catalog.versions(PAYMENTS)[1].commit.subject == "Rename"


def test_a_file_renamed_across_commits_is_followed(
    catalog: Following, repository: Repository
) -> None:
    repository.commit("ann", "Begin", a__catalog_info=several(TEAM, component("checkout")))
    catalog.follow(repository.url)
    moved = repository.commit(
        "bob", "Move", a__catalog_info=None, b__catalog_info=several(TEAM, component("checkout"))
    )
    assert catalog.counts(repository.url)[2] == 0
    newest = catalog.versions(CHECKOUT)[0]
    assert (newest.change, newest.path) == ("moved", "b/catalog-info.yaml")
    assert newest.commit.id == moved


def test_files_that_locations_and_placeholders_bring_have_their_own_commits(
    catalog: Following, repository: Repository
) -> None:
    text = component("checkout") + "  notes: {$text: ./notes.yaml}\n"
    root = several(location("parts/*.yaml"), TEAM)
    repository.commit("ann", "Begin", catalog_info=root, parts__a=component("a"))
    repository.commit("bob", "Part", parts__b=text, parts__notes="x: 1")
    catalog.follow(repository.url)
    assert catalog.versions("component:default/a")[0].commit.author == "ann"
    assert catalog.versions(CHECKOUT)[0].commit.author == "bob"
    repository.commit("cyd", "Notes", parts__notes="x: 2")
    catalog.look(repository.url)
    assert catalog.versions(CHECKOUT)[0].commit.author == "cyd"


def test_a_branch_is_followed_when_it_is_given(catalog: Following, repository: Repository) -> None:
    from tests.catalog.following import git

    repository.commit("ann", "Begin", catalog_info=several(TEAM, component("main")))
    git("checkout", "-q", "-b", "release", folder=repository.tree)
    repository.commit("ann", "Branch", catalog_info=several(TEAM, component("release")))
    catalog.follow(f"{repository.url}#release")
    assert catalog.names() == {"team-a", "release"}
    catalog.follow(repository.url, f"{repository.url}#release")
    assert catalog.names() == {"team-a", "release", "main"}
    assert catalog.entity("group:default/team-a").origin.endswith("#release")


def test_a_repository_that_disappears_keeps_everything_and_heals(
    catalog: Following, repository: Repository
) -> None:
    repository.commit("ann", "Begin", catalog_info=several(TEAM, component("checkout")))
    catalog.follow(repository.url)
    away = repository.bare.with_name("away")
    shutil.move(repository.bare, away)
    assert catalog.look(repository.url).failed
    assert CHECKOUT in catalog.refs()
    assert catalog.entity(CHECKOUT).stale
    assert catalog.codes() == ["unreachable-source"]
    shutil.move(away, repository.bare)
    assert catalog.look(repository.url).failed is None
    assert catalog.problems() == []
    assert catalog.entity(CHECKOUT).stale is None


def test_nothing_new_in_a_repository_reads_nothing(
    catalog: Following, repository: Repository
) -> None:
    repository.commit("ann", "Begin", catalog_info=several(TEAM, component("checkout")))
    catalog.follow(repository.url)
    told = len(catalog.told())
    assert catalog.counts(repository.url) == (0, 0, 0, 0)
    assert len(catalog.told()) == told


def test_the_catalog_knows_where_a_ref_of_another_kind_would_be(catalog: Following) -> None:
    with catalog.program.db.read() as tx, pytest.raises(NotFound):
        browsing.entity(tx, EntityRef.parse("component:default/nothing"))
