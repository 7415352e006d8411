"""Settings: pilothouse.toml, then the environment, then the command line; one typed struct."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from pilothouse.kernel.alerts.rules import destinations
from pilothouse.kernel.auth.model import Provider, RoleName
from pilothouse.kernel.errors import Invalid

PREFIX = "PILOTHOUSE_"
FILE = "pilothouse.toml"
# Read elsewhere: by the tests' crash points, for agents (secrets, browser), by the wrapper.
NOT_SETTINGS = (
    "PILOTHOUSE_CRASH_AT",
    "PILOTHOUSE_SECRET_",
    "PILOTHOUSE_SIGN_IN_SECRET_",
    "PILOTHOUSE_CONFIG",
    "PILOTHOUSE_ENV",
    "PILOTHOUSE_CHROMIUM",
)
OURS_TOO = "PILOTHOUSE_SECRET_KEY"  # the one setting among the check secrets' names
LISTS = frozenset(
    ("sources", "trusted_proxies", "trusted_hosts", "contact_hosts", "alert_urls", "last_resort")
)  # in the environment separated by spaces


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that can be set. `docs/settings.md` tells each; environment: PILOTHOUSE_<NAME>."""

    data: str = ".pilothouse"  # folder for the SQLite database and copies of git sources
    database_url: str | None = None  # postgresql://…; without one, SQLite in `data`
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8400
    public_url: str | None = None  # how people reach this portal; links in notices begin with it
    sources: tuple[str, ...] = ()  # directories, files, git URLs to read the catalog from
    workers: int = 4  # jobs done at once by one process
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str | None = None  # OpenTelemetry traces go there; none: no tracing
    git_fetch_shortest: int = 60  # seconds between looks at a git source that changes often
    git_fetch_longest: int = 3600  # … and at one that rarely does
    git_timeout: int = 120  # seconds until a git command is given up
    export_to: str = ""  # folder or s3://bucket/prefix where a copy is kept up to date
    export_endpoint: str | None = None  # of the bucket, where it is not Amazon's
    github_webhook_secret: str | None = None  # what GitHub signs its webhooks with
    gitlab_webhook_token: str | None = None  # what GitLab sends as X-Gitlab-Token
    github_token: str | None = None  # opens issues of action items there
    github_api: str = "https://api.github.com"
    gitlab_token: str | None = None
    gitlab_api: str = "https://gitlab.com/api/v4"
    postmortems_git: str | None = None  # repository[//folder][#branch] they are kept in as files
    sign_in: tuple[Provider, ...] = ()  # OpenID Connect providers; file only
    local_users: bool = False  # people of `pilothouse user add` may sign in with a password
    anonymous: Literal["none", "viewer"] = "none"  # what those who are not signed in may do
    default_role: RoleName = "viewer"  # of people whose provider's groups give them none
    session_idle: Annotated[int, msgspec.Meta(ge=60)] = 12 * 3600  # seconds unused, then it ends
    session_lifetime: Annotated[int, msgspec.Meta(ge=60)] = 7 * 86400  # … and at the latest so old
    sign_in_recheck: Annotated[int, msgspec.Meta(ge=1)] = 3600  # seconds between asking providers
    trusted_proxies: tuple[str, ...] = ()  # addresses or networks whose X-Forwarded-For is believed
    alert_webhook: str | None = None  # alerts are posted there as JSON
    alert_webhook_secret: str | None = None  # what those are signed with
    alert_urls: tuple[str, ...] = ()  # Apprise URLs that alerts go to
    vitals_country_header: str | None = None  # of a trusted proxy: which country a visitor is in
    trusted_hosts: tuple[str, ...] = ()  # host:port that documents may name: Prometheus servers
    agent_scripts: bool = False  # the agent of `up` runs journey scripts where people sign in, too
    last_resort: tuple[str, ...] = ()  # refs or mail addresses paged when nobody else is to be had
    smtp_url: Annotated[str, msgspec.Meta(pattern="^smtps?://")] | None = None  # mail goes by it
    smtp_from: str | None = None  # whose mails they are: "Pilothouse <pilothouse@example.org>"
    slack_token: str | None = None  # of a bot: xoxb-…
    slack_signing_secret: str | None = None  # what Slack signs pressed buttons with
    slack_url: str = "https://slack.com/api"
    twilio_account: str | None = None  # SID of an account: AC…
    twilio_token: str | None = None  # its auth token, which its callbacks are signed with too
    twilio_from: str | None = None  # the number that messages and calls come from
    twilio_url: str = "https://api.twilio.com"
    contact_hosts: tuple[str, ...] = ()  # host:port on private networks that contact methods name
    deadman_url: str | None = None  # asked every minute, so that someone notices when it is not
    inbox: bool = False  # of the demo: messages stand on a page, for everybody to read
    secret_key: str | None = None  # encrypts what providers gave; without one, a file in `data`

    @property
    def signs_in(self) -> bool:
        """Whether sign-in is set up; otherwise everybody on this machine is its admin."""
        return bool(self.sign_in) or self.local_users

    @property
    def runs_scripts(self) -> bool:
        """Whether the agent beside the portal runs journey scripts: code of who edits the catalog.

        Without sign-in that is who started the portal, on the same machine.
        """
        return self.agent_scripts or not self.signs_in

    @property
    def secure(self) -> bool:
        """Whether people reach this portal through TLS."""
        return bool(self.public_url and self.public_url.startswith("https://"))

    def provider(self, name: str) -> Provider | None:
        """The provider of this name."""
        return next((one for one in self.sign_in if one.name == name), None)

    @property
    def url(self) -> str:
        """The database that these settings name."""
        from pilothouse.kernel.db import sqlite_url

        return self.database_url or sqlite_url(Path(self.data))

    @property
    def home(self) -> str:
        """Where a browser on this machine finds the portal."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"


def load(
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Settings:
    """Read pilothouse.toml (or the file that PILOTHOUSE_CONFIG names), then the environment.

    Raises Invalid for an unknown key (naming the nearest known one), a value of another type,
    or a file that is not TOML.
    """
    environ = os.environ if environ is None else environ
    path = Path(environ.get("PILOTHOUSE_CONFIG") or (directory or Path.cwd()) / FILE)
    values = _from_file(path, required=bool(environ.get("PILOTHOUSE_CONFIG")))
    values |= _from_environment(environ)
    values |= {name: value for name, value in (overrides or {}).items() if value is not None}
    try:
        found = _with_secrets(msgspec.convert(values, Settings, strict=False), environ)
        destinations(found.alert_webhook, found.alert_urls)  # told at start, not at the first alert
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at `$.")
        raise Invalid(f"the setting {place.rstrip('`')} cannot be used: {words}") from error
    return found


def _with_secrets(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """The same with the secrets of providers that the environment holds.

    Raises Invalid for two providers of one name.
    """
    names = [one.name for one in settings.sign_in]
    if twice := {name for name in names if names.count(name) > 1}:
        raise Invalid(f"two [[sign_in]] tables are called {twice.pop()!r}")
    found = tuple(
        msgspec.structs.replace(
            one, client_secret=environ.get(secret_variable(one.name)) or one.client_secret
        )
        for one in settings.sign_in
    )
    return msgspec.structs.replace(settings, sign_in=found)


def secret_variable(provider: str) -> str:
    """The environment variable that holds a provider's client secret."""
    return f"PILOTHOUSE_SIGN_IN_SECRET_{provider.upper().replace('-', '_')}"


def _from_file(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text())
    except FileNotFoundError:
        if required:
            raise Invalid(f"PILOTHOUSE_CONFIG names {path}, which does not exist") from None
        return {}
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{path}: not TOML: {error}") from error
    for key in values:
        _known(key, f"{path}: {key!r}")
    return values


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX):
            continue
        if variable.startswith(NOT_SETTINGS) and variable != OURS_TOO:
            continue
        key = variable.removeprefix(PREFIX).lower()
        _known(key, f"the environment variable {variable}", str.upper, PREFIX)
        values[key] = text.split() if key in LISTS else text
    return values


def _known(key: str, where: str, written: Callable[[str], str] = str, prefix: str = "") -> None:
    fields = Settings.__struct_fields__
    if key in fields:
        return
    near = get_close_matches(key, fields, n=1)
    names = [prefix + written(field) for field in near or fields]
    meant = f" Did you mean {names[0]!r}?" if near else f" Known are: {', '.join(names)}."
    raise Invalid(f"{where} is not a setting.{meant}")
