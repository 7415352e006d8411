"""`pilothouse …`, and `python -m pilothouse …`.

An agent is started without the portal: it needs a third of the memory.
"""

from __future__ import annotations

import sys

ALONE = ("agent", "check")  # commands that need no portal


def main() -> None:
    """Run one command."""
    if sys.argv[1:2] and sys.argv[1] in ALONE:
        import pilothouse.agent.__main__  # noqa: F401  it runs
    else:
        from pilothouse.cli import main as whole

        whole()


if __name__ == "__main__":
    main()
