"""The pages of signing in and out, of one's account, and the audit."""

from pilothouse.kernel.auth.pages import account, audit, signing_in

routes = [*signing_in.routes, *account.routes, *audit.routes]
