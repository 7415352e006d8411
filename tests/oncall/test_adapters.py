"""Each adapter against a server that speaks its provider's protocol, well and badly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import msgspec
import pytest
from tests.alerts.listening import mail
from tests.oncall.provided import (
    CLOSES,
    HANGS,
    KEY,
    Provider,
    message,
    method,
    provider,
    providers,
    soon,
)
from tests.servers import LOOPBACK, free_port

from pilothouse.oncall.outside import deadman, sending, web_push
from pilothouse.oncall.rules import links

SUBSCRIBED = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
HTTP = ("webhook", "ntfy", "slack", "sms", "voice", "web_push")
FINE = {
    "webhook": (204, {}, b""),
    "ntfy": (200, {}, b'{"id":"x1","event":"message"}'),
    "slack": (200, {}, b'{"ok":true,"ts":"1503435956.000247"}'),
    "sms": (201, {}, b'{"sid":"SM1","status":"queued"}'),
    "voice": (201, {}, b'{"sid":"CA1","status":"queued"}'),
    "web_push": (201, {}, b""),
}


def address(channel: str, to: Provider) -> str:
    if channel == "web_push":
        keys = {"p256dh": SUBSCRIBED, "auth": AUTH}
        return msgspec.json.encode({"endpoint": f"{to.url}/push/1", "keys": keys}).decode()
    return {
        "webhook": f"{to.url}/hook?secret=sesame",
        "ntfy": f"{to.url}/topic-sesame tk_sesame",
        "slack": "U0123ABCD",
        "sms": "+4915123456789",
        "voice": "+4915123456789",
    }[channel]


def send(channel: str, to: Provider, **fields):
    settings = {
        "slack_url": to.url,
        "slack_token": "xoxb-sesame",
        "twilio_url": to.url,
        "twilio_account": "AC00",
        "twilio_token": "sesame-token",
        "twilio_from": "+15550006789",
    }
    known = providers(to.host, **settings)
    return sending.send(method(channel, address(channel, to)), message(**fields), known)


@pytest.mark.parametrize("channel", HTTP)
def test_a_provider_that_takes_it_says_so(channel):
    with provider() as to:
        to.says(FINE[channel])
        answer = send(channel, to)
        assert (answer.fine, answer.status) == (True, FINE[channel][0])
        assert len(to.asked) == 1


@pytest.mark.parametrize("channel", HTTP)
def test_one_that_is_down_busy_or_silent_is_worth_another_try(channel):
    with provider() as to:
        to.says((500, {}, b"oops"), (429, {"Retry-After": "17"}, b""), HANGS, CLOSES)
        down, busy = send(channel, to), send(channel, to)
        assert (down.fine, down.hopeless, down.status) == (False, False, 500)
        assert (busy.fine, busy.hopeless, busy.retry_after) == (False, False, 17)
        began = time.monotonic()
        for answer in (send(channel, to), send(channel, to)):
            assert (answer.fine, answer.hopeless, answer.status) == (False, False, 0)
            assert answer.words
            assert "sesame" not in answer.words
        assert soon(began)


@pytest.mark.parametrize("channel", HTTP)
def test_one_that_refuses_or_sends_elsewhere_is_not_asked_again(channel):
    with provider() as to:
        to.says((400, {}, b"{}"), (307, {"Location": f"{to.url}/other"}, b""))
        for status in (400, 307):
            answer = send(channel, to)
            assert (answer.fine, answer.hopeless, answer.status) == (False, True, status)
        assert len(to.asked) == 2


@pytest.mark.parametrize("channel", ["webhook", "ntfy", "web_push"])
def test_a_host_that_a_person_names_is_judged(channel):
    with provider() as to:
        answer = sending.send(method(channel, address(channel, to)), message(), providers())
        assert (answer.fine, answer.hopeless) == (False, True)
        assert not to.asked


def test_a_webhook_is_signed_and_carries_its_key():
    with provider() as to:
        assert send("webhook", to).fine
        (asked,) = to.asked
        stamp, _, sign = asked.headers["pilothouse-signature"].partition(",v1=")
        said = stamp.removeprefix("t=").encode() + b"." + asked.body
        secret = links.webhook_secret(KEY, "m1").encode()
        assert sign == hmac.new(secret, said, hashlib.sha256).hexdigest()
        assert asked.headers["idempotency-key"] == '"0192-1-abcdef"'
        assert asked.json["title"] == message().title
        assert asked.json["acknowledge_url"] == message().acknowledge_url


def test_ntfy_is_told_how_urgent_it_is_and_where_to_acknowledge():
    with provider() as to:
        to.says(FINE["ntfy"])
        assert send("ntfy", to).id == "x1"
        send("ntfy", to, urgency="low", acknowledge_url="")
        high, low = (asked.json for asked in to.asked)
        assert to.asked[0].headers["authorization"] == "Bearer tk_sesame"
        assert (high["topic"], high["priority"], low["priority"]) == ("topic-sesame", 5, 3)
        assert high["sequence_id"] == "0192-1-abcdef"
        assert high["click"] == message().url
        assert high["actions"][0]["url"] == message().acknowledge_url
        assert "actions" not in low


def test_slack_gets_buttons_and_its_own_errors_are_understood():
    with provider() as to:
        to.says(FINE["slack"], (200, {}, b'{"ok":false,"error":"channel_not_found"}'))
        assert send("slack", to, title="<!channel> & co").id == "1503435956.000247"
        body = to.asked[0].json
        assert to.asked[0].path == "/chat.postMessage"
        assert body["channel"] == "U0123ABCD"
        assert body["text"] == "&lt;!channel&gt; &amp; co"
        assert body["metadata"]["event_payload"]["dedup_key"] == "0192-1-abcdef"
        buttons = body["blocks"][-1]["elements"]
        assert [one["action_id"] for one in buttons] == [
            "pilothouse_acknowledge",
            "pilothouse_open",
        ]
        assert buttons[0]["value"] == "AbC"
        refused = send("slack", to)
        assert (refused.words, refused.hopeless, refused.status) == ("channel_not_found", True, 200)
        to.says((200, {}, b'{"ok":false,"error":"internal_error"}'))
        assert not send("slack", to).hopeless


def test_twilio_sends_texts_and_calls_and_says_why_not():
    with provider() as to:
        to.says(FINE["sms"], FINE["voice"])
        assert send("sms", to).id == "SM1"
        assert send("voice", to, title="Cart & <co>").id == "CA1"
        text, call = to.asked
        assert text.path == "/2010-04-01/Accounts/AC00/Messages.json"
        basic = base64.b64encode(b"AC00:sesame-token").decode()
        assert text.headers["authorization"] == f"Basic {basic}"
        form = {name: values[0] for name, values in parse_qs(text.body.decode()).items()}
        assert (form["To"], form["From"]) == ("+4915123456789", "+15550006789")
        assert form["Body"].endswith("\nhttps://portal.example/acknowledge/AbC")
        form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        gather = ET.fromstring(form["Twiml"]).find("Gather")
        assert gather is not None
        assert gather.get("action") == "https://portal.example/hooks/twilio/AbC"
        assert "Cart & <co>" in (gather.findtext("Say") or "")
        why = b'{"code":21610,"message":"Message to +4915123456789 was blocked"}'
        to.says((400, {}, why))
        answer = send("sms", to)
        assert answer.hopeless
        assert answer.words == "Message to +… was blocked (21610)"


def test_a_push_message_is_encrypted_as_the_rfc_says():
    """RFC 8291, appendix A."""
    from cryptography.hazmat.primitives.asymmetric import ec

    def raw(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    private = int.from_bytes(raw("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    found = web_push.encrypted(
        b"When I grow up, I want to be a watermelon",
        raw(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx"
            "aOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        raw("BTBZMqHH6r4Tts7J_aSIgg"),
        own=ec.derive_private_key(private, ec.SECP256R1()),
        salt=raw("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert found == raw(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_a_push_service_is_told_who_sends_and_a_browser_that_left_is_not_asked_again():
    from joserfc import jwt
    from joserfc.jwk import ECKey

    with provider() as to:
        to.says(FINE["web_push"], (410, {}, b""))
        assert send("web_push", to).fine
        headers = to.asked[0].headers
        token, _, key = headers["authorization"].removeprefix("vapid t=").partition(", k=")
        raw = base64.urlsafe_b64decode(key + "=")
        point = [base64.urlsafe_b64encode(raw[i : i + 32]).rstrip(b"=").decode() for i in (1, 33)]
        public = {"kty": "EC", "crv": "P-256", "x": point[0], "y": point[1]}
        claims = jwt.decode(token, ECKey.import_key(public), algorithms=["ES256"]).claims
        assert claims["aud"] == to.url
        assert claims["sub"] == "https://portal.example"
        assert key == web_push.public_key(KEY)
        assert headers["content-encoding"] == "aes128gcm"
        assert headers["urgency"] == "high"
        assert len(headers["topic"]) == 32
        gone = send("web_push", to)
        assert (gone.hopeless, gone.status) == (True, 410)


def test_mail_goes_with_the_key_as_its_id_and_in_the_thread_of_its_page():
    with mail() as (letters, port):
        known = providers(
            smtp_url=f"smtp://{LOOPBACK}:{port}", smtp_from="Pilothouse <p@x.example>"
        )
        answer = sending.send(method("email", "maya@x.example"), message(), known)
        assert (answer.fine, answer.status) == (True, 250), answer
        (letter,) = letters.got
    text = letter.content.decode()
    assert "Message-ID: <0192-1-abcdef@x.example>" in text
    assert "In-Reply-To: <page-7@x.example>" in text
    assert "List-Unsubscribe" not in text
    assert "https://portal.example/acknowledge/AbC" in text


@pytest.mark.parametrize("port", [None, 0])
def test_mail_without_a_server_is_another_method_s_turn(port):
    url = f"smtp://{LOOPBACK}:{free_port()}" if port is None else ""
    known = providers(smtp_url=url, smtp_from="p@x.example")
    answer = sending.send(method("email", "maya@x.example"), message(), known)
    assert (answer.fine, answer.hopeless) == (False, not url)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("json://127.0.0.1/", "not among"),
        ("discord://id/token?template=/etc/passwd", "without a ?"),
        ("mailto://u:p@127.0.0.1", "not among"),
    ],
)
def test_apprise_takes_no_address_that_leads_inside(address, why):
    answer = sending.send(method("apprise", address), message(), providers())
    assert answer.hopeless
    assert why in answer.words


def test_an_address_sealed_with_another_key_and_an_inbox_outside_the_demo_are_refused():
    assert sending.send(method("email", ""), message(), providers()).hopeless
    assert sending.send(method("inbox", "inbox"), message(), providers()).hopeless
    assert sending.send(method("inbox", "inbox"), message(), providers(inbox=True)).fine


def test_the_watchman_is_watched_from_elsewhere():
    with provider() as to:
        to.says((200, {}, b""), (503, {}, b""))
        assert deadman.call(f"{to.url}/ping/sesame") == ""
        assert deadman.call(f"{to.url}/ping/sesame") == "answered 503"
        assert to.asked[0].method == "GET"
    assert "sesame" not in deadman.call(f"{to.url}/ping/sesame")
