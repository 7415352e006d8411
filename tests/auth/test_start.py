"""What sign-in costs those who do not use it: nothing."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("argon2", "authlib", "joserfc", "cryptography")


def test_what_only_sign_in_needs_is_not_imported_at_the_start():
    program = (
        "import sys; from pilothouse import app, cli; import pilothouse.kernel.web.build\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
