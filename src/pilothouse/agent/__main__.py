"""`python -m pilothouse.agent agent …`: the agent alone."""

from pilothouse.agent.commands import main

main()
