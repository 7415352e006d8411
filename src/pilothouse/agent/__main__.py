"""`python -m pilothouse.agent agent …`: the agent alone, in little memory."""

import sys
from typing import Any

modules: dict[str, Any] = sys.modules
modules["rich"] = None  # structlog brings it in where it finds it: 5 MB for pictures of errors
import structlog  # noqa: E402, F401

del modules["rich"]
from pilothouse.agent.commands import main  # noqa: E402

main()
