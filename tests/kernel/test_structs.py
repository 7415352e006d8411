"""Threads that decode into a struct for the first time at once."""

import subprocess
import sys
from pathlib import Path

import msgspec

from pilothouse.kernel import structs

ROOT = Path(__file__).parents[2]
RACE = """
import sys, threading
import msgspec
from pilothouse.checks.model.results import Result
from pilothouse.kernel import structs

assert structs.build() > 5
sys.setswitchinterval(1e-6)
body = msgspec.json.encode({"id": 1})
gate = threading.Barrier(6)

def decode():
    gate.wait()
    for _ in range(3):
        try:
            msgspec.json.decode(body, type=Result)
        except msgspec.ValidationError:
            pass

threads = [threading.Thread(target=decode) for _ in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


class Leaf(msgspec.Struct):
    """Made before the structs are built."""

    name: str


def test_a_struct_that_is_built_is_decoded_by_threads_at_once():
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", RACE], cwd=ROOT, check=False)
        assert ended.returncode == 0


def test_a_struct_that_nobody_can_decode_is_passed_by():
    made = msgspec.defstruct("Either", [("side", Leaf | msgspec.defstruct("Other", []))])
    assert structs.build() > 1
    assert made.__struct_fields__ == ("side",)
    assert msgspec.json.decode(b'{"name": "a"}', type=Leaf) == Leaf("a")
