"""Contact details, credentials and tokens are in no file of a copy."""

from __future__ import annotations

import re
from html import unescape
from textwrap import indent
from typing import TYPE_CHECKING

from tests.catalog.following import following, write
from tests.export.copies import copied, faults, files

from pilothouse.export.jobs import oneshot

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "ghp_" + "Ab1" * 12
SECRETS = (
    "maya@example.org", "jonas.weber@corp.io", "team-mail@example.org", "support@corp.io",
    "commit-mail@corp.io", "s3cr3t-word", TOKEN, "AKIAABCDEFGHIJKLMNOP", "hunter2hunter2",
    "whsec_settings_secret", "abcdef1234567890", "MIIEpQIBAAKCAQEA",
)  # fmt: skip
CODE = """
Ask **jonas.weber**@corp.io or `maya`@example.org.

```bash
curl https://corp.io/?access_token=abcdef1234567890 && mail jonas.weber@corp.io maya@example.org
```

```console
$ curl 'corp.io/?access_token=abcdef1234567890&x=1' -u jonas.weber@corp.io
maya@example.org said: AKIAABCDEFGHIJKLMNOP
```

```sql
SELECT jonas.weber@corp.io, maya@example.org FROM people; -- jonas.weber@corp.io
```

```python
who = jonas.weber@corp.io or maya@example.org
get(f"https://corp.io/?private_token=abcdef1234567890&n={who}", "Bearer abcdef1234567890")
```

```json
{"to": "jonas.weber@corp.io", "text": "Ask\\nmaya@example.org", "at": "https://u:s3cr3t-word@corp.io"}
```

```yaml
jonas.weber@corp.io: [maya@example.org, support@corp.io]
hook: https://corp.io/?token=abcdef1234567890
key: |
  -----BEGIN RSA PRIVATE KEY-----
  MIIEpQIBAAKCAQEA
  -----END RSA PRIVATE KEY-----
```
"""
CATALOG = f"""
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: pay
  description: Ask jonas.weber@corp.io or [Maya](mailto:maya@example.org), who is MAYA@example.org.
  annotations:
    example.org/deploy: "https://bot:s3cr3t-word@deploy.corp.io/hook?token=hunter2hunter2"
    example.org/token: {TOKEN}
  links:
    - {{url: "https://bot:s3cr3t-word@wiki.corp.io/pay", title: Wiki of support@corp.io}}
spec: {{type: service, lifecycle: production, owner: payments}}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {{name: pay-api}}
spec:
  type: openapi
  lifecycle: production
  owner: payments
  definition: |
    openapi: 3.1.0
    info:
      title: Pay
      version: "1"
      contact: {{name: Support, email: support@corp.io}}
      description: |
{indent(CODE, "        ")}
    paths:
      /pay:
        get: {{summary: Key AKIAABCDEFGHIJKLMNOP, responses: {{"200": {{description: Yes}}}}}}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {{name: payments}}
spec: {{type: team, profile: {{email: team-mail@example.org}}, children: []}}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {{name: maya}}
spec: {{profile: {{displayName: Maya Okafor, email: maya@example.org}}, memberOf: [payments]}}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {{name: broken, description: "of commit-mail@corp.io"}}
spec: {{type: service, lifecycle: 7, owner: payments}}
"""
PAGE = f"""# Runbook

Write to support@corp.io, use `{TOKEN}`, then

    curl -H "Authorization: Bearer hunter2hunter2hunter2" https://bot:s3cr3t-word@corp.io/
{CODE}"""
DECISION = f"""# Ask support@corp.io first

Status: accepted
{CODE}"""
PAY, API = "component/default/pay", "api/default/pay-api"


def told(data: bytes) -> str:
    """What a file says, with its tags and without: code that is coloured is full of them."""
    text = data.decode("utf-8", "replace").lower()
    return f"{text}\n{unescape(re.sub(r'<[^>]*>', '', text))}"


def test_nothing_private_is_in_any_file(database_url: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    write(source, "catalog-info.yaml", CATALOG)
    write(source, "README.md", PAGE)
    write(source, "docs/index.md", PAGE)
    write(source, "docs/runbooks/restart.md", PAGE)
    write(source, "docs/adr/0001-ask-first.md", DECISION)
    with following(database_url, tmp_path / "data", secret_key="whsec_settings_secret") as found:
        oneshot.read(found.program, [str(source)])
        copied(found.program, tmp_path / "copy")
    there = files(tmp_path / "copy")
    assert not faults(tmp_path / "copy")
    texts = {name: told(data) for name, data in there.items()}
    for secret in SECRETS:
        held = [name for name, text in texts.items() if secret.lower() in text]
        assert not held, f"{secret} is in {held}"
    for drawn in (f"docs/{PAY}/docs/adr/0001-ask-first", f"docs/{PAY}/docs/runbooks/restart"):
        assert "access_token=[secret left out]" in texts[f"{drawn}/index.html"]
    assert "access_token=[secret left out]" in texts[f"catalog/{API}/reference/index.html"]
    page = there["catalog/component/default/pay/index.html"].decode()
    assert "[address left out]" in page
    assert "https://wiki.corp.io/pay" in page
    assert 'href="mailto:' not in "".join(
        data.decode() for name, data in there.items() if name.endswith(".html")
    )
    assert "Maya Okafor" in there["catalog/user/default/maya/index.html"].decode()
