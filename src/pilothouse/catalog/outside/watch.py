"""Noticing changes in folders as they happen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.catalog.outside.paths import is_skipped

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Sequence

DEBOUNCE_MS = 50
_LOOK_MS = 300  # between looks, where the system cannot tell
_STOP_MS = 1000


def watch(
    paths: Sequence[Path], on_change: Callable[[set[Path]], None], stop: threading.Event
) -> None:
    """Call `on_change` with what changed under `paths`, shortly after it did, until `stop`.

    It is called with `paths` first, once they are watched: something may have changed before.
    For a file its folder is watched: editors replace files. Blocks; run it in a thread. Raises
    FileNotFoundError when a path is not there.
    """
    roots = {path if path.is_dir() else path.parent for path in map(Path.resolve, paths)}
    missing = [str(root) for root in roots if not root.exists()]
    if missing:
        raise FileNotFoundError(f"{', '.join(sorted(missing))} is not there")
    try:
        _watch(roots, paths, on_change, stop, look=False)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        _watch(
            roots, paths, on_change, stop, look=True
        )  # more folders than the system will tell about


def _watch(
    roots: set[Path],
    paths: Sequence[Path],
    on_change: Callable[[set[Path]], None],
    stop: threading.Event,
    *,
    look: bool,
) -> None:
    from watchfiles import watch as changes

    seen = changes(
        *sorted(roots),
        watch_filter=lambda _change, path: _matters(Path(path), roots),
        debounce=DEBOUNCE_MS,
        step=DEBOUNCE_MS // 2,
        stop_event=stop,
        rust_timeout=_STOP_MS,
        yield_on_timeout=True,
        force_polling=look or None,
        poll_delay_ms=_LOOK_MS,
        raise_interrupt=False,
        ignore_permission_denied=True,
    )
    begun = False
    for found in seen:
        changed = {Path(path) for _change, path in found}
        if changed or not begun:
            on_change(changed if begun else changed.union(paths))
        begun = True


def _matters(path: Path, roots: Iterable[Path]) -> bool:
    return any(
        path.is_relative_to(root)
        and not any(map(is_skipped, path.relative_to(root).parts[:-1]))
        and path.name != ".git"
        for root in roots
    )
