"""The ways a request can fail. The web and the command line each translate them once."""


class PilothouseError(Exception):
    """Base of every error raised on purpose; its text is written for the person who reads it."""

    status = 500
    title = "This did not work"


class NotFound(PilothouseError):
    """What was named does not exist."""

    status = 404
    title = "Not found"


class Invalid(PilothouseError):
    """What was given cannot be accepted as it is; the text says what to change."""

    status = 400
    title = "Not accepted"


class Conflict(PilothouseError):
    """What was asked contradicts the present state."""

    status = 409
    title = "Conflicts with the present state"


class Denied(PilothouseError):
    """Whoever asks may not do this."""

    status = 403
    title = "Not allowed"


class Busy(PilothouseError):
    """More of one kind was asked at once than there is room for."""

    status = 503
    title = "Too much at once"


class SignInNeeded(PilothouseError):
    """Nobody is signed in, or what was shown for it is not valid (any more)."""

    status = 401
    title = "Sign in first"
