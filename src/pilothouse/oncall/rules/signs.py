"""Signs of those who call us back: Slack's and Twilio's, as their documentation says."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

SLACK_LATE = 300.0  # seconds; what is older is a replay


def slack(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether Slack signed a request (docs.slack.dev, "Verifying requests from Slack")."""
    stamp, given = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature")
    if not secret or not given or not stamp.isdecimal() or len(stamp) > 12:  # noqa: PLR2004
        return False
    if abs(now.timestamp() - int(stamp)) > SLACK_LATE:
        return False
    mac = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
    return hmac.compare_digest(f"v0={mac.hexdigest()}".encode(), given.encode())


def twilio(token: str, given: str, url: str, form: Mapping[str, str]) -> bool:
    """Whether Twilio signed a request (twilio.com/docs, "Webhooks security")."""
    if not token or not given:
        return False
    said = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    mac = hmac.new(token.encode(), said.encode(), hashlib.sha1)
    return hmac.compare_digest(base64.b64encode(mac.digest()), given.encode())
