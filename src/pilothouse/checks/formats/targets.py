"""Who is asked through blackbox_exporter: the scrape configurations of a prometheus.yml."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from pilothouse.checks.formats import lined
from pilothouse.checks.formats.imported import Notes
from pilothouse.checks.formats.lined import Lined

ADDRESS, MODULE, TARGET = "__address__", "__param_module", "__param_target"
_REFERENCE = re.compile(r"\$\{?([0-9]+)\}?")


class Target(msgspec.Struct, frozen=True):
    """One address that a job has the exporter ask, and how."""

    job: str
    module: str
    address: str
    line: int
    interval: str  # "": Prometheus' own
    timeout: str
    labels: dict[str, str]


def read(data: bytes, notes: Notes) -> list[Target]:
    """All targets of jobs that ask the exporter. Raises Invalid for what is no YAML."""
    top = lined.read(data)
    usual = top.get("global")
    found: list[Target] = []
    for job in top.get("scrape_configs").items():
        if job.get("metrics_path").text() != "/probe" and not job.has("params"):
            continue  # it scrapes something else
        found += _job(job, usual, notes.about(f"job {job.get('job_name').text()}"))
    return found


def _job(job: Lined, usual: Lined, notes: Notes) -> list[Target]:
    for key, value in job.pairs():
        if key.endswith("_sd_configs"):
            why = "its targets are not known here; list them as static_configs"
            notes.add(value.line, key, why)
    modules = [one.text() for one in job.get("params").get("module").items()]
    found: list[Target] = []
    for group in job.get("static_configs").items():
        labels = {name: value.text() for name, value in group.get("labels").pairs()}
        for address in group.get("targets").items():
            start = {ADDRESS: address.text(), MODULE: modules[0] if modules else ""} | labels
            end = _relabelled(start, job.get("relabel_configs"), notes)
            if end is None:
                notes.add(address.line, address.text(), "relabel_configs drop it")
                continue
            found.append(
                Target(
                    job=job.get("job_name").text(),
                    module=end.get(MODULE) or "http_2xx",
                    address=end.get(TARGET) or address.text(),
                    line=address.line,
                    interval=(job if job.has("scrape_interval") else usual)
                    .get("scrape_interval")
                    .text(),
                    timeout=(job if job.has("scrape_timeout") else usual)
                    .get("scrape_timeout")
                    .text(),
                    labels={n: v for n, v in end.items() if not n.startswith("__")},
                )
            )
    return found


def _relabelled(labels: Mapping[str, str], rules: Lined, notes: Notes) -> dict[str, str] | None:
    """Labels after Prometheus' relabelling; None for a target that is dropped."""
    now = dict(labels)
    for rule in rules.items():
        action = rule.get("action").text("replace")
        names = [one.text() for one in rule.get("source_labels").items()]
        value = rule.get("separator").text(";").join(now.get(name, "") for name in names)
        try:
            matched = re.fullmatch(rule.get("regex").text("(.*)"), value, re.DOTALL)
        except re.error:
            notes.add(rule.line, "relabel_configs", "its regular expression is not read here")
            continue
        if action == "replace":
            if matched:
                target = rule.get("target_label").text()
                now[target] = _filled(rule.get("replacement").text("$1"), matched)
        elif action in {"keep", "drop"}:
            if (matched is None) == (action == "keep"):
                return None
        elif action not in {"labeldrop", "labelkeep", "labelmap"}:
            notes.add(rule.line, "relabel_configs", f"the action {action} is not followed")
    return now


def _filled(template: str, matched: re.Match[str]) -> str:
    groups = matched.re.groups

    def group(found: re.Match[str]) -> str:
        number = int(found[1][:3])
        return (matched[number] or "") if number <= groups else ""

    return _REFERENCE.sub(group, template)
