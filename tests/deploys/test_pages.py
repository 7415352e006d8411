"""The pages about deployments, on both databases."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from tests.deploys.telling import component, group, sha, telling

from pilothouse import app

NOW = datetime.now(UTC)


@pytest.fixture
def told(database_url, tmp_path):
    documents = [component(f"service-{n:02}", f"shop/s{n}") for n in range(3)]
    with telling(database_url, tmp_path, *documents, group("team-a")) as found:
        yield found


def deploy(told, number, minutes_ago, **said):
    data = {
        "entity": "service-00",
        "environment": "production",
        "version": f"1.{number}",
        "at": (NOW - timedelta(minutes=minutes_ago)).isoformat(),
        "by": "maya",
        **said,
    }
    assert told.event(data).status == 202


def test_without_deployments_pages_say_how_to_tell_of_them(told):
    assert "Nothing was deployed yet" in told.page("/deploys")
    assert "Not enough data" in told.page("/deploys/frequency")
    assert "Nothing came in yet" in told.page("/deploys/deliveries")
    assert "No deployment is known" in told.page("/catalog/component/default/service-00")
    assert "deploys-recent" not in told.page("/")
    assert "What runs where" not in told.page("/catalog/group/default/team-a")


def test_numbers_open_into_what_they_were_computed_from(told):
    for number in range(8):
        commit_at = (NOW - timedelta(minutes=500 - 10 * number + 60)).isoformat()
        status = "failed" if number == 5 else "succeeded"
        deploy(
            told, number, 500 - 10 * number, status=status, commit=sha(number), commit_at=commit_at
        )
    told.take()
    page = told.page("/deploys/frequency")
    links = dict(re.findall(r'<a href="(/deploys/list\?[^"]*what=(?:\w+))">([^<]*)</a>', page))
    by_what = {href.rpartition("=")[2]: (href, words) for href, words in links.items()}
    assert by_what["lead"][1] == "1 h"
    assert by_what["wrong"][1] == "12.5%"
    assert "not enough data" in page  # one recovery has no median
    rows = {
        what: told.page(href.replace("&amp;", "&")).count("<tr data-row>")
        for what, (href, _) in by_what.items()
        if what != "ended"  # those of the weeks
    }
    assert rows == {"deployments": 7, "lead": 7, "wrong": 1}
    team = told.page("/deploys/frequency?team=group:default/team-a")
    assert "service-00" in team
    assert "12.5%" in told.page("/deploys/frequency?service=component:default/service-00")
    assert "12.5%" in told.page("/catalog/component/default/service-00")
    assert "12.5%" in told.page("/catalog/group/default/team-a")


def test_a_chart_has_the_numbers_of_its_table(told):
    for number in range(4):
        deploy(told, number, 60 + number)
    told.take()
    page = told.page("/deploys/frequency")
    assert re.search(r'<svg class="plot"[^>]*aria-label="4 deployments to production', page)
    table = page[page.index("The weeks as a table") :]
    total = sum(int(n) for n in re.findall(r'<td class="num">(\d+)</td><td class="num">0', table))
    assert total == 4
    assert " style=" not in page


def test_a_long_history_is_turned_page_by_page(told):
    for number in range(120):
        deploy(told, number, 500 - number)
    told.take()
    seen, path = [], "/catalog/component/default/service-00/deployments"
    while path:
        page = told.page(path)
        history = page[page.index('id="history"') :]
        seen += re.findall(r'class="mono" href="/deploys/\d+">(1\.\d+)<', history)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else None
    assert seen == [f"1.{number}" for number in range(119, -1, -1)]


def test_all_services_are_narrowed_and_failed_ones_come_first(told):
    deploy(told, 1, 50)
    deploy(told, 1, 50, entity="service-01")
    deploy(told, 2, 5, entity="service-01", status="failed")
    deploy(told, 3, 5, entity="service-02", environment="staging", status="in_progress")
    told.take()

    def order(path):
        return re.findall(r'<th scope="row"><a href="[^"]*">(service-\d+)</a>', told.page(path))

    assert order("/deploys") == ["service-01", "service-02", "service-00"]
    assert order("/deploys?state=failed") == ["service-01"]
    assert order("/deploys?state=going") == ["service-02"]
    assert order("/deploys?q=02") == ["service-02"]
    assert order("/deploys?team=group:default/nobody") == []
    now = told.page("/")
    assert now.index("service-01") < now.index("service-02")
    assert "1 went wrong today" in now
    assert "1.2 of service-01 failed in production" in now
    assert "1.1 still runs there." in now
    deploy(told, 4, 1, entity="service-01")
    told.take()
    assert "failed in production" not in told.page("/")


def test_text_of_others_is_shown_as_text(told):
    evil = '<script>alert(1)</script>"'
    deploy(told, 1, 5, version=evil, by=evil, url="javascript:alert(1)", environment=evil)
    told.take()
    for path in ("/deploys", "/deploys/1", "/", "/catalog/component/default/service-00"):
        page = told.page(path)
        assert "<script>alert" not in page
        assert "javascript:alert" not in page


def test_what_is_exported_are_pages_that_exist(told):
    deploy(told, 1, 5)
    told.take()
    module = next(module for module in app.modules() if module.name == "deploys")
    with told.db.read() as tx:
        paths = [item.path for item in module.exported(tx)]
    assert paths == [
        "/deploys",
        "/deploys/frequency",
        "/catalog/component/default/service-00/deployments",
    ]
    for path in paths:
        told.page(path)


def test_all_of_a_long_list_is_exported(database_url, tmp_path):
    names = [f"service-{n:02}" for n in range(60)]
    with telling(database_url, tmp_path, *map(component, names)) as told:
        for name in names:
            deploy(told, 1, 5, entity=name)
        told.take()
        module = next(module for module in app.modules() if module.name == "deploys")
        with told.db.read() as tx:
            paths = [item.path for item in module.exported(tx)]
        assert paths[:3] == ["/deploys", "/deploys?offset=50", "/deploys/frequency"]
        assert 'href="/deploys?offset=50"' in told.page(paths[0])
        found = [
            re.findall(r"<tr data-row>.*?>(service-\d+)<", told.page(path), re.DOTALL)
            for path in paths[:2]
        ]
        assert sorted(name for part in found for name in part) == names


def test_one_deployment_says_what_it_replaced(told):
    deploy(told, 1, 50, commit=sha(1))
    deploy(told, 2, 5, commit=sha(2), url="https://ci.example/2")
    told.take()
    page = told.page("/deploys/2")
    assert 'href="https://ci.example/2"' in page
    assert '<a class="mono" href="/deploys/1">1.1</a>' in page
    assert "Which commits it brought is not known" in page


def test_what_failed_to_deploy_is_found_first(told):
    deploy(told, 1, 20)
    data = {"entity": "service-02", "environment": "production", "version": "7", "status": "failed"}
    assert told.event(data).status == 202
    told.take()
    page = told.page("/search?q=service")
    assert page.index("/catalog/component/default/service-02") < page.index(
        "/catalog/component/default/service-00"
    )


def test_the_page_of_a_team_has_how_often_it_deploys_against_its_target(database_url, tmp_path):
    aims = "metadata: {annotations: {pilothouse/target-deployments: '3'}, name: team-a}"
    team = group("team-a").replace("metadata: {name: team-a}", aims)
    service = component("service-00", "shop/s0")
    with telling(database_url, tmp_path, service, team) as told:
        assert "Deployment frequency" not in told.page("/teams/default/team-a")
        deploy(told, 1, 3)
        deploy(told, 2, 2)
        told.take()
        text = told.page("/teams/default/team-a")
    assert "Deployment frequency" in text
    assert "2 a week" in text
    assert "target: 3 a week or more" in text
    assert "Under target" in text
    assert "/deploys/frequency?service=component%3Adefault/service-00" in text
