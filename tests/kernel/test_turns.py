"""Writers of one file write in turn, also those of another process."""

import subprocess
import sys
import threading
from contextlib import suppress

from pilothouse.kernel.turns import Turns

HOLDING = """
import sys
from pilothouse.kernel.turns import Turns
with Turns(sys.argv[1]).mine():
    print("mine", flush=True)
    sys.stdin.readline()
"""


def test_a_turn_is_waited_for_across_processes_and_ends_with_its_holder(tmp_path):
    path, got = str(tmp_path / "x.db"), threading.Event()

    def wait():
        with Turns(path).mine():
            got.set()

    command = [sys.executable, "-c", HOLDING, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"mine\n"
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.wait(0.2)
        holder.kill()
        assert got.wait(10)
        waiting.join()


def test_a_thread_may_take_its_turn_within_its_turn(tmp_path):
    turns = Turns(str(tmp_path / "x.db"))
    with turns.mine(), turns.mine():
        pass
    with turns.mine():
        pass


def test_a_turn_ends_with_an_error(tmp_path):
    turns, got = Turns(str(tmp_path / "x.db")), threading.Event()
    with suppress(KeyError), turns.mine():
        raise KeyError

    def take():
        with turns.mine():
            got.set()

    threading.Thread(target=take).start()
    assert got.wait(10)


def test_without_a_file_threads_still_take_turns():
    with Turns(None).mine(), Turns("/nowhere/at/all.db").mine():
        pass
