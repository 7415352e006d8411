"""What every module stands on: transactions, events, jobs, errors, the web, the page frame."""
