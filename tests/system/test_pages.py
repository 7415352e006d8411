"""The pages in a real browser: readable by everyone, with keys, without scripts, live."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect
from tests import axe, programs
from tests.servers import free_port

WIDTHS = (1440, 390)
VISIT = int(time.time() * 1000) << 20 | 7  # the number of a visit that failed
PATHS = (
    "/",
    "/catalog",
    "/catalog?kind=component&q=check",
    "/catalog?q=nothing-has-this-name",
    "/catalog?at=2199-01-01",
    "/catalog/problems",
    "/catalog/changes",
    "/changes",
    "/changes?period=7d&kind=deployment",
    "/catalog/sources",
    "/catalog/component/default/checkout",
    "/catalog/component/default/checkout/changes",
    "/catalog/component/default/checkout/document",
    "/catalog/component/default/checkout?at=2199-01-01",
    "/catalog/component/default/hostile",
    "/catalog/api/default/payments",
    "/catalog/api/default/payments/definition",
    "/catalog/api/default/payments/reference",
    "/catalog/api/default/payments/reference?operation=nothing-has-this",
    "/catalog/api/default/payments/reference/operations/post-payments-id",
    "/catalog/api/default/payments/reference/schemas/payment",
    "/catalog/api/default/broken/reference",
    "/apis/changes",
    "/apis/changes/1",
    "/docs",
    "/docs/component/default/checkout",
    "/docs/component/default/checkout/docs/runbooks/stuck",
    "/docs/component/default/checkout/docs/decisions/0002-two",
    "/docs/component/default/checkout/no-such-page",
    "/runbooks",
    "/rfcs",
    "/rfcs/timeline",
    "/vitals",
    "/vitals?metric=cls&days=1",
    "/teams/default/payments",
    "/catalog/component/default/checkout/vitals",
    "/checks",
    "/checks?q=nothing-has-this",
    "/checks/default/pay",
    "/checks/default/pay?period=1h",
    "/checks/default/pay?period=90d",
    "/checks/default/pay/pause",
    "/checks/default/pay/run",
    "/checks/default/nightly",
    f"/checks/default/pay/results/{VISIT}",
    "/locations",
    "/locations/eu-west",
    "/status/default/shop",
    "/oncall",
    "/oncall/schedules/default/payments",
    "/oncall/schedules/default/payments?month=2026-03",
    "/oncall/fairness",
    "/oncall/pages",
    "/oncall/pages/1",
    "/oncall/pages/1/resolve",
    "/oncall/pages/2",
    "/oncall/page",
    "/oncall/page?entity=component:default/checkout",
    "/oncall/silences",
    "/account/contact",
    "/account/contact?person=user:default/maya",
    "/inbox",
    "/postmortems",
    "/postmortems/1",
    "/postmortems/1/edit/timeline",
    "/postmortems/1/versions/notes",
    "/postmortems/2",
    "/learning",
    "/incidents",
    "/incidents?drills=yes",
    "/incidents/1",
    "/incidents/2",
    "/learning?period=365d",
    "/deploys",
    "/deploys?state=failed",
    "/deploys?q=nothing-has-this-name",
    "/deploys/1",
    "/deploys/frequency",
    "/deploys/frequency?team=group:default/payments",
    "/deploys/frequency?service=component:default/checkout",
    "/deploys/list?what=ended",
    "/deploys/deliveries",
    "/objectives",
    "/objectives?q=nothing-has-this-name",
    "/objectives/default/deployments/1",
    "/objectives/default/nowhere/1",
    "/catalog/component/default/checkout/deployments",
    "/catalog/group/default/payments",
    "/catalog/group/default/payments/related?type=hasMember",
    "/catalog/user/default/maya",
    "/catalog/system/default/shop",
    "/catalog/domain/default/commerce",
    "/catalog/resource/default/ledger-db",
    "/catalog/somethingelse/default/strange",
    "/catalog/component/default/never-was",
    "/search?q=pay",
    "/jobs",
    "/components",
)
DOCS = {
    "index.md": """# How it works

> [!WARNING]
> Careful.

!!! note "A note"
    With `code` and [a link](runbooks/stuck.md).

??? tip "More"
    Hidden.

- [x] Read this
- [ ] Do that

| a | b |
|---|--:|
| 1 | 2 |

#### A level left out

```python
def pay() -> str:
    return "paid"
```

```mermaid
graph LR; A[checkout] -->|card| B{payments}
```

<script>alert(1)</script> <img src=x onerror=alert(1)> <p id=main style="x">html</p>
[bad](javascript:alert(1)) [gone](gone.md) ![outside](https://img.example/x.svg) term[^1]

[^1]: A footnote.
""",
    "runbooks/stuck.md": "# It is stuck\n\n## Drain\n\n- [ ] Stop\n  ```sh\n  stop it\n  ```\n",
    "decisions/0001-one.md": "---\nstatus: accepted\n---\n# One\n\n## Problem\n\nx\n",
    "decisions/0002-two.md": "---\nsupersedes: 1\n---\n# Two\n\n## Context\n\nx\n",
}
CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout
  title: Checkout
  description: Takes a **basket** and turns it into an order.
  annotations: {github.com/project-slug: shop/checkout, example.org/home: "https://example.org"}
  labels: {tier: "1"}
  tags: [python, tier-1]
  links:
    - {url: "https://runbooks.example/checkout", title: When payments fail, type: runbook}
spec:
  {type: service, lifecycle: production, owner: payments, system: shop,
   consumesApis: [payments], dependsOn: ["resource:ledger-db", "component:not-there"]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: hostile
  title: "<img src=x onerror=alert(1)>"
  description: "<script>alert(1)</script> [press](javascript:alert(1)) <b>bold</b>"
  links: [{url: "javascript:alert(1)", title: "<b>press me</b>"}]
spec: {type: "<i>service</i>", lifecycle: production, owner: nobody-knows}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: payments, title: Payments API}
spec:
  type: openapi
  lifecycle: production
  owner: payments
  definition: |
    openapi: 3.1.0
    info: {title: Payments, version: "2", description: Takes **money**.}
    servers: [{url: "https://payments.example/v2"}]
    tags: [{name: Payments, description: What is paid.}]
    components:
      securitySchemes: {token: {type: http, scheme: bearer}}
      schemas:
        Payment:
          type: object
          required: [amount]
          properties:
            amount: {type: integer, minimum: 1, description: "In the smallest unit."}
            state: {type: string, enum: [open, paid], deprecated: true}
            refunds: {type: array, items: {$ref: "#/components/schemas/Payment"}}
    paths:
      /payments/{id}:
        post:
          tags: [Payments]
          summary: Take a payment
          description: Answers in **two** seconds.
          security: [{token: [write]}]
          parameters:
            - {name: id, in: path, required: true, schema: {type: string}}
            - {name: trace, in: query, deprecated: true, schema: {type: string}}
          requestBody:
            content:
              application/json:
                schema: {$ref: "#/components/schemas/Payment"}
                example: {amount: 1999}
          responses:
            "201":
              description: Taken
              headers: {X-Trace: {schema: {type: string}}}
              content: {application/json: {schema: {$ref: "#/components/schemas/Payment"}}}
            "402": {description: The bank refused}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: broken}
spec: {type: openapi, lifecycle: production, owner: payments, definition: "openapi: 3.1.0\\na: ["}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: ledger-db}
spec: {type: database, owner: payments}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop, annotations: {pilothouse/status-page: public}}
spec: {owner: payments, domain: commerce}
---
apiVersion: pilothouse/v1
kind: ProbeLocation
metadata: {name: eu-west, title: Ireland}
spec: {region: eu, provider: example, latitude: 53.3, longitude: -6.3}
---
apiVersion: pilothouse/v1
kind: Check
metadata: {name: pay, title: "Pay <b>now</b>"}
spec:
  entity: component:default/checkout
  critical: true
  every: 1h
  locations: [eu-west]
  journey:
    steps: [{name: Open, goto: "https://shop.example/"}, {name: Pay, click: "#pay"}]
---
apiVersion: pilothouse/v1
kind: Check
metadata: {name: nightly, title: Books are closed}
spec: {entity: component:default/checkout, heartbeat: {cron: "0 3 * * *"}}
---
apiVersion: backstage.io/v1alpha1
kind: Domain
metadata: {name: commerce}
spec: {owner: payments}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments, title: Payments}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: maya}
spec: {profile: {displayName: Maya Okafor, email: maya@example.org}, memberOf: [payments]}
---
apiVersion: pilothouse/v1
kind: Schedule
metadata: {name: payments, title: Payments on call}
spec:
  owner: group:default/payments
  time_zone: Europe/Berlin
  layers:
    - name: office
      start: 2026-01-05T09:00
      turn: 1d
      people: [user:default/maya, user:default/left]
      only: [{days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00"}]
---
apiVersion: pilothouse/v1
kind: Cadence
metadata: {name: company}
spec: {owner: "group:default/payments", start: 2026-01-05, cycle: {}}
---
apiVersion: example.org/v1
kind: SomethingElse
metadata: {name: strange}
spec: {}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout}
spec: {type: library, lifecycle: production, owner: payments}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: slip}
spec: {type: service, lifecylce: production, owner: payments}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: deployments, displayName: "Deployments <b>succeed</b>"}
spec:
  service: hostile
  description: "<script>alert(1)</script>"
  indicator:
    spec:
      thresholdMetric:
        metricSource: {type: pilothouse, spec: {measure: deploys.finished}}
  objectives: [{displayName: Promise, target: 0.9}, {displayName: Aim, target: 0.99}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: nowhere}
spec:
  service: nobody-knows-it
  indicatorRef: nobody-knows-it
  objectives: [{target: 0.9}]
"""


@dataclass(frozen=True, slots=True)
class Portal:
    """A running portal and the file it shows."""

    url: str
    file: Path


def tell_of_deployments(port: int) -> None:
    """A service that runs, one whose last deployment failed, and one that nobody knows."""
    told = (
        ("checkout", "production", "succeeded"),
        ("checkout", "staging", "in_progress"),
        ("hostile", "production", "succeeded"),
        ("hostile", "production", "failed"),
        ("checkout", "<b>review</b>", "succeeded"),
        ("nobody-knows-it", "production", "succeeded"),
    )
    said = [
        {"entity": entity, "environment": environment, "status": status, "by": "maya"}
        | {"version": f"1.{number}<i>"}
        for number, (entity, environment, status) in enumerate(told)
    ]
    tell(port, "pilothouse.deployment", said)


def tell_of_alerts(port: int) -> None:
    """Two pages: one of several alerts, and one of what nobody knows."""
    words = {"summary": "It <b>fails</b> " + "x" * 80, "detail": "<script>alert(1)</script>\n504"}
    labels = {"labels": {"severity": "<i>page</i>", "pod": "p" * 90}}
    alerts = [words | labels | {"entity": "checkout", "key": f"k{one}"} for one in range(12)]
    tell(port, "pilothouse.alert.raised", [*alerts, words | {"entity": "nobody-knows-it"}])


def learn(port: int) -> None:
    """The post-mortem of the first incident, with all the items there may be."""
    item = {
        "proof": "<i>" + "seen " * 20,
        "owner": "maya",
        "due_on": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    said = [("/api/postmortems/1", {})]
    said += [
        ("/api/postmortems/1/actions", item | {"title": f"{one} <b>it</b>"}) for one in range(3)
    ]
    said += [
        ("/api/postmortems/1/actions/1/done", {"evidence": "https://shop.example/" + "x" * 90}),
        ("/api/postmortems/1/actions/2/drop", {"why": "Not <script>alert(1)</script>"}),
        (
            "/api/postmortems/1/notes",
            {"text": "# A\n\n<script>alert(1)</script> [a](javascript:b)"},
        ),
    ]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for path, body in said:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        found = answer.read()
        assert answer.status in {200, 201}, found
    connection.close()


def tell(port: int, kind: str, told: list[dict[str, Any]]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number, data in enumerate(told):
        event = {"specversion": "1.0", "id": f"{kind} {number}", "source": "/ci", "type": kind}
        headers = {"Content-Type": "application/cloudevents+json"}
        connection.request("POST", "/api/events", json.dumps(event | {"data": data}), headers)
        answer = connection.getresponse()
        assert answer.status == 202, answer.read()
        answer.read()
    connection.close()


def reach_maya(port: int) -> None:
    """By what needs nobody else, and by what has a secret to show."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for channel, address in (("inbox", "inbox"), ("webhook", "https://hooks.example/x")):
        said = {"person": "user:default/maya", "channel": channel, "address": address}
        body = urlencode({**said, "after": "0", "urgency": "both"})
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", "/account/contact", body, headers)
        answer = connection.getresponse()
        assert answer.status == 303, answer.read()
        connection.close()


def tell_of_a_visit(port: int) -> None:
    """What an agent would have sent of a journey that failed."""
    shop, ads = "https://shop.example", "https://ads.example"
    browsed = {
        "requests": [
            {"url": f"{shop}/", "start": 0, "ms": 300, "status": 200, "kind": "document"},
            {"url": f"{ads}/x.js", "start": 300, "ms": 900, "status": 200, "kind": "script",
             "third": True},
            {"url": f"{shop}/api/pay", "start": 400, "ms": 800, "status": 504, "kind": "fetch"},
        ],
        "lcp": 1900,
        "third_party_blocking": 300,
        "console_errors": ["<b>no</b>"],
    }  # fmt: skip
    result = {
        "id": VISIT,
        "check": "check:default/pay",
        "location": "eu-west",
        "total": 1200,
        "outcome": "failed",
        "fault": "504",
        "reason": "504 from POST /api/pay",
        "status": 504,
        "phases": {"dns": 5, "connect": 20, "tls": 30, "first_byte": 900, "body": 12},
        "assertions": [["status == 200", False, "status is 504"]],
        "sample": "<script>alert(1)</script>",
        "steps": [{"name": "Open", "ms": 300}, {"name": "Pay", "ms": 900, "ok": False}],
        "browsed": browsed,
    }
    body = json.dumps({"agent": "one", "location": "eu-west", "results": [result]})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/api/checks/results", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    assert json.loads(answer.read())["kept"] == 1
    connection.close()


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    folder = tmp_path_factory.mktemp("pages")
    file = folder / "source" / "catalog-info.yaml"
    file.parent.mkdir()
    file.write_text(CATALOG.replace("name: trace,", "name: gone,"))
    for name, text in DOCS.items():
        page = file.parent / "docs" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text)
    starting = programs.started_programs(folder)
    program, port = next(starting), free_port()
    inbox = {"PILOTHOUSE_INBOX": "true"}
    running = program("up", str(file.parent), "--port", str(port), env=inbox)
    running.wait_for_http(port, "/catalog/api/default/payments/reference")
    running.wait_for_http(port, "/docs/component/default/checkout")
    file.write_text(CATALOG)
    running.wait_for_http(port, "/apis/changes/1")  # an API changed meanwhile
    tell_of_deployments(port)
    running.wait_for_http(port, "/deploys/5")
    running.wait_for_http(port, "/checks/default/pay")
    tell_of_a_visit(port)
    reach_maya(port)
    tell_of_alerts(port)
    running.wait_for_http(port, "/incidents/2")
    learn(port)
    running.wait_for_http(port, "/objectives/default/deployments/1")
    yield Portal(f"http://127.0.0.1:{port}", file)
    next(starting, None)


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_any_page(browser: Browser, portal: Portal, width: int) -> None:
    axe.needed()
    context = browser.new_context(
        viewport={"width": width, "height": 900}, reduced_motion="reduce", bypass_csp=True
    )
    context.add_cookies([{"name": "display", "value": f"{axe.LIGHT}|UTC|on", "url": portal.url}])
    tab, found = context.new_page(), []
    for path in PATHS:
        tab.goto(portal.url + path)
        found += axe.violations(tab)
    context.close()
    assert not found


BEYOND = """width => [...document.querySelectorAll("body *")]
  .filter(one => one.getBoundingClientRect().right > width + 0.5)
  .slice(0, 5).map(one => `${one.tagName} ${one.className} ${one.textContent.slice(0, 60)}`)"""


def test_no_page_is_wider_than_a_phone(tab: Page, portal: Portal) -> None:
    wide = []
    for path in PATHS:
        tab.goto(portal.url + path)
        for width in (390, 320):
            tab.set_viewport_size({"width": width, "height": 800})
            if tab.evaluate("document.documentElement.scrollWidth") > width:
                wide.append((path, width, tab.evaluate(BEYOND, width)))
    assert not wide


def test_titles_and_links_of_others_run_nothing(tab: Page, portal: Portal) -> None:
    asked: list[str] = []
    tab.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    for path in ("/", "/catalog", "/catalog/component/default/hostile", "/search?q=img"):
        tab.goto(portal.url + path)
        assert tab.locator("a[href^='javascript' i]").count() == 0
        assert tab.locator("main img").count() == 0
    expect(tab.locator("h1")).to_have_text("Found for “img”")
    assert not asked


def test_keys_lead_to_search_and_pages_and_rows(tab: Page, portal: Portal) -> None:
    tab.goto(portal.url + "/catalog")
    tab.keyboard.press("/")
    expect(tab.locator("#q")).to_be_focused()
    tab.keyboard.press("Escape")
    tab.keyboard.press("Control+k")
    expect(tab.locator("#q")).to_be_focused()
    tab.keyboard.press("Escape")
    tab.keyboard.press("j")
    expect(tab.locator("[data-row] a").first).to_be_focused()
    tab.keyboard.press("g")
    tab.keyboard.press("l")
    expect(tab).to_have_url(re.compile("[0-9]/changes$"))


def test_the_search_box_offers_while_one_types(tab: Page, portal: Portal) -> None:
    tab.goto(portal.url)
    tab.locator("#q").press_sequentially("chec")
    expect(tab.locator(".found a").first).to_contain_text("Checkout")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(re.compile("/catalog/component/default/checkout$"))


def test_the_list_narrows_while_one_types(tab: Page, portal: Portal) -> None:
    tab.goto(portal.url + "/catalog")
    tab.locator("#filter").press_sequentially("strange")
    expect(tab.locator("#results tbody tr")).to_have_count(1)
    expect(tab).to_have_url(re.compile("q=strange"))


def test_a_saved_file_is_seen_without_loading_the_page_again(tab: Page, portal: Portal) -> None:
    tab.goto(portal.url + "/catalog/changes")
    tab.wait_for_function("document.querySelector('#live') !== null")
    tab.evaluate("window.stillHere = true")
    tab.mouse.move(0, 0)
    portal.file.write_text(CATALOG.replace("name: ledger-db}", "name: ledger-db, title: Ledger}"))
    expect(tab.locator("#results")).to_contain_text("Ledger", timeout=15_000)
    assert tab.evaluate("window.stillHere")


def test_an_api_is_tried_out_without_asking_anybody_else(tab: Page, portal: Portal) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(f"{portal.url}/catalog/api/default/payments/reference")
    tab.get_by_role("link", name="Try it out").click()
    expect(tab.locator("#tryout")).to_contain_text("Take a payment", timeout=30_000)
    foreign = [url for url in asked if not url.startswith((portal.url, "data:", "blob:"))]
    assert not foreign


def test_everything_reads_and_works_without_scripts(browser: Browser, portal: Portal) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(portal.url + "/catalog")
    tab.locator("input[name=kind][value=api]").check()
    tab.get_by_role("button", name="Apply filters").click()
    expect(tab.locator("h1")).to_have_text("APIs")
    tab.locator("#q").fill("maya")
    tab.locator("#q").press("Enter")
    tab.locator("main li a", has_text="Maya Okafor").first.click()
    expect(tab.locator("h1")).to_have_text("Maya Okafor")
    context.close()


def test_a_check_is_paused_and_goes_on_without_scripts(browser: Browser, portal: Portal) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(portal.url + "/checks")
    tab.locator("main").get_by_role("link", name="Books are closed").click()
    tab.get_by_role("button", name="Pause", exact=True).click()
    tab.get_by_label("Why").fill("The month is being closed by hand")
    tab.get_by_role("button", name="Pause the check").click()
    expect(tab.locator("main")).to_contain_text("The month is being closed by hand")
    tab.get_by_role("button", name="Resume").click()
    expect(tab.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    context.close()


def test_the_theme_that_was_chosen_is_drawn_by_the_server(tab: Page, portal: Portal) -> None:
    tab.goto(portal.url + "/catalog")
    tab.get_by_role("button", name="Display").click()
    tab.locator("#theme").select_option("night")
    tab.get_by_role("button", name="Save").click()
    expect(tab.locator("html")).to_have_attribute("data-theme", "night")
    expect(tab).to_have_url(re.compile("/catalog$"))


def test_a_diagram_is_drawn_when_it_comes_into_view(tab: Page, portal: Portal) -> None:
    tab.goto(f"{portal.url}/docs/component/default/checkout")
    tab.locator("pre.mermaid").scroll_into_view_if_needed()
    drawn = tab.locator("svg.diagram")
    expect(drawn).to_be_visible()
    expect(drawn).to_contain_text("checkout")
    expect(tab.get_by_text("The diagram as text")).to_be_visible()


def test_without_scripts_a_diagram_is_its_source(browser: Browser, portal: Portal) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{portal.url}/docs/component/default/checkout")
    expect(tab.locator("pre.mermaid")).to_contain_text("graph LR")
    context.close()
