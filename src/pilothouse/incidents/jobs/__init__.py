"""What incidents do in the background; each part of them lists its own jobs and handlers."""

from pilothouse.incidents.jobs import following, issues, keeping, paging

jobs = [*following.jobs, *issues.jobs, *keeping.jobs]
handlers = [*paging.handlers, *following.handlers]
