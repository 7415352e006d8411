"""Echo requests, in a network namespace that allows them and in one that does not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.agent.probes.looking import look

from pilothouse.checks.model.documents import Icmp

ROOT = Path(__file__).parents[3]
LOOK = """
import json, sys
from tests.agent.probes.looking import look
from pilothouse.checks.model.documents import Icmp
seen = look(Icmp(host=sys.argv[1], count=int(sys.argv[2])), seconds=float(sys.argv[3]))
rtt = {name: one.total_seconds() * 1000 for name, one in seen.values.get("rtt", {}).items()}
said = [seen.fault, seen.reason, seen.unable, seen.total, seen.phases, seen.measured, rtt]
print(json.dumps(said))
"""


def in_a_namespace(before: str, host: str, count: int = 3, seconds: float = 3.0) -> list:
    """What is seen in a network of its own, after these commands of ip and sysctl."""
    if os.geteuid() or not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("only root makes network namespaces, with unshare and ip of util-linux")
    script = f'ip link set lo up && {before} && exec "$@"'
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", script, "sh", sys.executable, "-c", LOOK,
         host, str(count), str(seconds)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if "unshare failed" in done.stderr:
        pytest.skip("no network namespaces here")
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


ALLOW = "echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range"
FORBID = "echo '1 0' > /proc/sys/net/ipv4/ping_group_range"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_replies_are_counted_and_timed(host: str) -> None:
    fault, reason, unable, total, phases, measured, rtt = in_a_namespace(ALLOW, host)
    assert (fault, reason, unable) == ("", "", False)
    assert measured["loss"] == 0.0
    assert (measured["sent"], measured["received"]) == (3, 3)
    assert 0 < rtt["min"] <= rtt["median"] <= rtt["max"] < 1000
    assert rtt["min"] <= rtt["avg"] <= rtt["max"]
    assert total == pytest.approx(phases["rtt"])


def test_a_host_that_drops_everything_is_lost_within_the_time() -> None:
    silent = f"{ALLOW} && echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all"
    fault, reason, unable, total, _, measured, _ = in_a_namespace(silent, "127.0.0.1", 2, 1.5)
    assert (fault, unable) == ("lost", False)
    assert "no answer to 2 echo requests" in reason
    assert measured["loss"] == 1.0
    assert total < 2500


def test_where_there_is_no_way_the_network_says_so() -> None:
    fault, reason, *_ = in_a_namespace(ALLOW, "192.0.2.9")
    assert fault == "net"
    assert "unreachable" in reason


def test_where_the_kernel_forbids_it_the_agent_is_unable_and_says_what_to_do() -> None:
    fault, reason, unable, *_ = in_a_namespace(FORBID, "127.0.0.1")
    assert (fault, unable) == ("deny", True)
    assert "net.ipv4.ping_group_range" in reason


def test_an_address_that_must_not_be_visited_is_not() -> None:
    seen = look(Icmp(host="127.0.0.1"), allowed=lambda _address, _port: False)
    assert seen.unable
    assert "must not visit" in seen.reason
