"""Mail by the SMTP server of the settings."""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pilothouse.kernel import outgoing
from pilothouse.oncall.formats import letters
from pilothouse.oncall.model.methods import Answer
from pilothouse.oncall.rules import answers

if TYPE_CHECKING:
    from pilothouse.kernel.outgoing import Target
    from pilothouse.oncall.model.methods import Message, Method
    from pilothouse.oncall.outside.providers import Providers

PORTS = {"smtp": 587, "smtps": 465}
PERMANENT = range(500, 600)


class _Plain(smtplib.SMTP):
    """Connects to the address that was judged, and calls it by its name."""

    def __init__(self, target: Target, seconds: float) -> None:
        self.target = target
        super().__init__(timeout=seconds)
        self._host = target.host  # what its certificate must name

    def _get_socket(self, _host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((self.target.address, port), timeout)


class _Secure(_Plain):
    """The same, with TLS from the start."""

    def _get_socket(self, _host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(_host, port, timeout)
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=self._host)
        except BaseException:
            plain.close()
            raise


def send(method: Method, message: Message, providers: Providers) -> Answer:
    """Send a mail once; the server's reply code is the status."""
    if not providers.smtp_url or not providers.smtp_from:
        return answers.hopeless("mail is not set up: smtp_url and smtp_from in the settings")
    parts = urlsplit(providers.smtp_url)
    secrets = (method.address, unquote(parts.password or ""))
    try:
        letter = letters.write(message, method.address, providers.smtp_from)
        asked = f"https://{parts.netloc.rpartition('@')[2]}/"
        if parts.port is None:
            asked = f"https://{parts.hostname}:{PORTS[parts.scheme]}/"
        target = outgoing.judge(asked, frozenset((outgoing.host_of(asked),)))
        kind = _Secure if parts.scheme == "smtps" else _Plain
        with kind(target, providers.seconds) as server:
            server.connect(target.host, target.port)
            _secure(server, parts.scheme, target.address)
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(letter)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        return _refused(code, words, secrets)
    except smtplib.SMTPResponseException as error:
        return _refused(error.smtp_code, error.smtp_error, secrets)
    except (outgoing.Forbidden, ValueError) as error:
        return answers.hopeless(answers.plain(str(error), *secrets))
    except (outgoing.Unreachable, OSError) as error:
        return answers.failed(answers.plain(f"{type(error).__name__}: {error}", *secrets))
    return Answer(fine=True, status=250, words="taken", id=letter["Message-ID"])


def _secure(server: _Plain, scheme: str, address: str) -> None:
    """TLS where the server has it; without it mail goes to this machine only."""
    server.ehlo_or_helo_if_needed()
    if scheme == "smtps":
        return
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    elif address not in ("127.0.0.1", "::1"):
        raise outgoing.Forbidden("the mail server has no TLS, so it is not told anything")


def _refused(code: int, words: bytes | str, secrets: tuple[str, ...]) -> Answer:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    plain = answers.plain(said, *secrets) or "refused"
    return answers.hopeless(plain, code) if code in PERMANENT else answers.failed(plain, code)
