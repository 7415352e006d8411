"""A copy in a bucket that speaks S3: files go up beside each other, the manifest after them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from mimetypes import guess_type
from typing import Any

from pilothouse.export.model import MANIFEST
from pilothouse.kernel.errors import Conflict, Invalid

AT_ONCE = 16  # files on their way
MOST_WAITING = 256  # files in memory, until their turn comes
FOREVER, FRESH = "public, max-age=31536000, immutable", "no-cache"
_TEXT = frozenset(("text/html", "text/plain", "text/css", "text/javascript", "application/json"))


class Bucket:
    """The objects under a prefix. Credentials and region come from the usual AWS_* variables."""

    def __init__(self, where: str, endpoint: str | None) -> None:
        """Raises Invalid without the library, for no bucket, or one with other things in it."""
        name, _, prefix = where.removeprefix("s3://").strip("/").partition("/")
        self._where, self._prefix = f"s3://{name}/{prefix}".rstrip("/"), prefix
        if not name:
            raise Invalid(f"{where} names no bucket: write s3://bucket/prefix")
        try:
            import obstore
            from obstore.store import S3Store
        except ImportError as error:
            raise Invalid(
                "a copy in a bucket needs one more package: pip install 'pilothouse[s3]'"
            ) from error
        self._obstore = obstore
        options: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
        plain = bool(endpoint and endpoint.startswith("http://"))
        self._store = S3Store(
            name, prefix=prefix or None, client_options={"allow_http": plain}, **options
        )
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="bucket")
        self._waiting: list[Future[Any]] = []
        if self.read(MANIFEST) is None and (other := self._anything()) is not None:
            raise Invalid(
                f"{self._where} has other things in it ({other}) and no copy of a portal. Name a "
                "prefix of its own."
            )

    def _anything(self) -> str | None:
        def first() -> str | None:
            for part in self._store.list(chunk_size=10):
                for found in part:
                    return found["path"]
            return None

        return self._tried(first)

    def read(self, name: str) -> bytes | None:
        """A file of the copy; None when it is not there."""

        def get() -> bytes | None:
            try:
                return bytes(self._store.get(name).bytes())
            except FileNotFoundError:
                return None

        return self._tried(get)

    def write(self, name: str, data: bytes) -> None:
        """Send a file; `settle` says whether it arrived. The manifest waits for all others."""
        if name == MANIFEST or len(self._waiting) >= MOST_WAITING:
            self.settle()
        kind = guess_type(name)[0] or "application/octet-stream"
        attributes = {
            "Content-Type": f"{kind}; charset=utf-8" if kind in _TEXT else kind,
            "Cache-Control": FOREVER if name.startswith("static/") else FRESH,
        }
        self._waiting.append(self._pool.submit(self._store.put, name, data, attributes=attributes))
        if name == MANIFEST:
            self.settle()

    def settle(self) -> None:
        """Wait until all that was written is there. Raises Conflict when something is not."""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            self._tried(one.result)

    def missing(self, names: Iterable[str], *, thorough: bool) -> set[str]:
        """Which of these files are not there; only looked for when thorough."""
        if not thorough:
            return set()

        def there() -> set[str]:
            return {found["path"] for part in self._store.list() for found in part}

        # Paths of a list begin with the prefix in some versions of the library and not in others.
        found = {path.removeprefix(f"{self._prefix}/") for path in self._tried(there)}
        return {name for name in names if name not in found}

    def remove(self, names: Iterable[str]) -> None:
        """Take files away; those that are gone already are fine."""
        chosen = list(names)
        for start in range(0, len(chosen), 1000):
            part = chosen[start : start + 1000]
            self._tried(lambda part=part: self._store.delete(part))

    def _tried(self, doing: Callable[[], Any]) -> Any:
        """Do it. Raises Conflict, saying what the bucket said, when it cannot be done."""
        try:
            return doing()
        except FileNotFoundError:
            return None
        except (self._obstore.exceptions.BaseError, OSError) as error:
            said = str(error).splitlines()[0][:300]
            raise Conflict(f"{self._where} could not be used: {said}") from error

    def close(self) -> None:
        """Let go of what is still on its way."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __str__(self) -> str:
        return self._where
