"""Contact details, credentials and tokens are in no file of a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.catalog.following import following, write
from tests.export.copies import copied, faults, files

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "ghp_" + "Ab1" * 12
SECRETS = (
    "maya@example.org", "jonas.weber@corp.io", "team-mail@example.org", "support@corp.io",
    "commit-mail@corp.io", "s3cr3t-word", TOKEN, "AKIAABCDEFGHIJKLMNOP", "hunter2hunter2",
    "whsec_settings_secret",
)  # fmt: skip
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
    info: {{title: Pay, version: "1", contact: {{name: Support, email: support@corp.io}}}}
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
"""


def test_nothing_private_is_in_any_file(database_url: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    write(source, "catalog-info.yaml", CATALOG)
    write(source, "README.md", PAGE)
    write(source, "docs/index.md", PAGE)
    with following(database_url, tmp_path / "data", secret_key="whsec_settings_secret") as found:
        found.follow(source)
        copied(found.program, tmp_path / "copy")
    there = files(tmp_path / "copy")
    assert not faults(tmp_path / "copy")
    for secret in SECRETS:
        held = [name for name, data in there.items() if secret.encode().lower() in data.lower()]
        assert not held, f"{secret} is in {held}"
    page = there["catalog/component/default/pay/index.html"].decode()
    assert "[address left out]" in page
    assert "https://wiki.corp.io/pay" in page
    assert 'href="mailto:' not in "".join(
        data.decode() for name, data in there.items() if name.endswith(".html")
    )
    assert "Maya Okafor" in there["catalog/user/default/maya/index.html"].decode()
