"""One walk in a browser: the declared steps, or a script's, each timed."""

from __future__ import annotations

import asyncio
import inspect
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.async_api import Error, Page, async_playwright
from playwright.async_api import TimeoutError as TooLong

from pilothouse.agent.journeys import har, parties
from pilothouse.agent.journeys.model import Job, Message, Started, Stepped, Unable, Walked
from pilothouse.agent.journeys.watching import Watch
from pilothouse.checks.model.documents import Journey, Step
from pilothouse.checks.model.results import StepTime
from pilothouse.kernel import durations

Tell = Callable[[Message], None]
MOST_STEPS = 200
MOST_SCREENSHOT = 2_000_000  # bytes
ARGUMENTS = (  # nothing goes out on its own, and nothing but by the proxy
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-quic",
    "--disable-sync",
    "--dns-prefetch-disable",
    "--gaia-url=http://chatter.invalid/",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--no-first-run",
    "--no-pings",
)
_LONGEST = 300
_NO_SANDBOX = re.compile(r"no usable sandbox|namespace sandbox|suid sandbox", re.IGNORECASE)
_ITS_WORDS = re.compile(r"\[err\] (.+)")  # in Playwright's log of a start that failed
_BAD_STATUS = 400


class StepError(Exception):
    """A step that did not do what it was to do; the message is for people."""

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault


@dataclass(slots=True)
class Steps:
    """Times the steps, and tells each when it is over. Scripts get `step`."""

    tell: Tell
    now: str = ""  # the one under way
    count: int = 0
    masked: list[str] = field(default_factory=list)  # fields whose content is nobody's business

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        """One step of a script, timed from here to the end of its block."""
        self.count += 1
        if self.count > MOST_STEPS:
            raise StepError("step", f"a journey has at most {MOST_STEPS} steps")
        self.now, begun = str(name)[:100], time.monotonic()
        why = ""
        try:
            yield
        except asyncio.CancelledError:
            why = "it was not over when the time was"
            raise
        except BaseException as error:
            why = _worded(error)[1]
            raise
        finally:
            ms = round((time.monotonic() - begun) * 1000, 1)
            self.tell(Stepped(StepTime(self.now, ms, ok=not why, why=why)))
        self.now = ""


async def walk(job: Job, tell: Tell) -> None:
    """Start the browser, walk, tell. Nothing is closed: who started us ends all of it."""
    begun = time.monotonic()
    until = begun + job.seconds
    script = _script(job.journey) if job.journey.code else None
    if isinstance(script, Unable):
        tell(script)
        return
    driver = await async_playwright().start()
    try:
        browser = await driver.chromium.launch(
            executable_path=job.chromium,
            chromium_sandbox=True,
            args=list(ARGUMENTS),
            proxy={"server": f"socks5://{job.proxy}", "bypass": "<-loopback>"},
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
            timeout=job.seconds * 1000,
        )
    except Error as error:
        tell(Unable(_no_browser(str(error))))
        return
    tell(Started(round((time.monotonic() - begun) * 1000, 1)))
    width, height = job.journey.viewport
    context = await browser.new_context(
        viewport={"width": width, "height": height}, accept_downloads=False
    )
    watch = Watch()
    await watch.join(context, f"report{secrets.token_hex(8)}")
    page = await context.new_page()
    tell(await _walked(job, page, watch, (Steps(tell), script, until)))


async def _walked(job: Job, page: Page, watch: Watch, how: tuple[Steps, Any, float]) -> Walked:
    steps, script, until = how
    at = datetime.now(UTC)
    watch.start, watch.begun = time.monotonic(), at.timestamp()
    fault = reason = ""
    page.set_default_timeout(max(1.0, until - time.monotonic()) * 1000)
    try:
        async with asyncio.timeout(until - time.monotonic()):
            if script is None:
                await _declared(job.journey, page, steps)
            else:
                await script(page, steps.step)
    except TimeoutError:
        fault, reason = "time", f"the walk was not over after {job.seconds:.1f} s"
    except Exception as error:  # noqa: BLE001  a script may raise anything
        fault, reason = _worded(error)
    took = watch.now()
    if fault == "net" and watch.latest >= _BAD_STATUS:  # an error without a page of its own
        fault, reason = str(watch.latest), f"{parties.bare(watch.first)} answered {watch.latest}"
    if watch.crashed:
        fault, reason = "tab", "the page's process crashed"
    if fault and steps.now:
        reason = f"{steps.now}: {reason}"
    wanted = bool(fault) or job.picture
    left = time.monotonic() + job.after
    answers = await _after(job, page, watch, 0.0 if fault else until + job.after - 0.5)
    seconds = max(0.5, left - time.monotonic() - 0.2) if answers else 0.5
    return Walked(
        ms=round(took, 1),
        browsed=watch.browsed(),
        fault=fault,
        reason=reason[: 2 * _LONGEST],
        address=parties.bare(page.url),
        status=watch.status,
        screenshot=await _screenshot(page, steps, seconds) if wanted else b"",
        har=har.written(watch.lines.values(), at, watch.now()) if wanted else b"",
    )


async def _declared(journey: Journey, page: Page, steps: Steps) -> None:
    for declared in journey.steps:
        async with steps.step(declared.name or _named(declared)):
            await _take(declared, page, steps)


async def _take(step: Step, page: Page, steps: Steps) -> None:
    if step.goto is not None:
        if not step.goto.lower().startswith(("https://", "http://")):  # file: is the agent's own
            raise StepError("URL", "a journey goes to http:// and https:// addresses only")
        answer = await page.goto(step.goto)
        if answer is not None and answer.status >= _BAD_STATUS:
            where = parties.bare(answer.url)
            raise StepError(str(answer.status), f"{where} answered {answer.status}")
    elif step.fill is not None:
        steps.masked.append(step.fill[0])
        await page.fill(*step.fill)
    elif step.click is not None:
        await page.click(step.click)
    elif step.expect is not None:
        await page.locator(step.expect).first.wait_for(state="visible")
    elif step.wait is not None:
        await asyncio.sleep(durations.parse(step.wait) / timedelta(seconds=1))


def _named(step: Step) -> str:
    if step.goto is not None:
        return f"Open {parties.bare(step.goto)}"
    if step.fill is not None:
        return f"Fill {step.fill[0]}"
    if step.click is not None:
        return f"Click {step.click}"
    return f"See {step.expect}" if step.expect is not None else f"Wait {step.wait}"


def _script(journey: Journey) -> Any:
    """The script's `journey`; Unable where there is none."""
    name = journey.script or "the script"
    found: dict[str, Any] = {"__name__": "journey"}
    try:
        exec(compile(journey.code, name, "exec"), found)  # noqa: S102  --allow-scripts
    except BaseException as error:  # noqa: BLE001  it may even leave the program
        return Unable(f"{name} cannot be read: {type(error).__name__}: {error}"[:_LONGEST])
    walking = found.get("journey")
    if not inspect.iscoroutinefunction(walking):
        return Unable(f"{name} has no `async def journey(page, step)`")
    return walking


def _worded(error: BaseException) -> tuple[str, str]:
    """Fault and reason, of the browser's errors the first line without our library's name."""
    if isinstance(error, StepError):
        return error.fault, str(error)
    first = (str(error).strip().splitlines() or [""])[0]
    if isinstance(error, TooLong):
        return "time", _said(f"{_waited(str(error))} in the time there was")
    if isinstance(error, Error):
        said = first.partition(": ")[2] or first
        fault = "net" if "net::" in said else "step"
        return fault, _said(said)
    return "step", _said(f"{type(error).__name__}: {first}" if first else type(error).__name__)


def _said(text: str) -> str:
    words = (parties.bare(word) if "://" in word else word for word in text.split(" "))
    return " ".join(words)[:_LONGEST]


def _waited(text: str) -> str:
    """What a time-out waited for, from Playwright's call log."""
    waited = [line.strip(" -") for line in text.splitlines() if "waiting for" in line]
    found = waited[0].removeprefix("waiting for ") if waited else "what it waited for"
    if found.startswith("navigation") or "navigating to" in text:
        return "the page did not load"
    return f"{found} did not come"


def _no_browser(text: str) -> str:
    if _NO_SANDBOX.search(text):
        return (
            "Chromium's sandbox does not work here: it needs user namespaces (in a container, a "
            "seccomp profile that allows them; docs/journeys.md)"
        )
    said = _ITS_WORDS.findall(text) or text.strip().splitlines()[:1]
    return f"Chromium did not start: {'; '.join(said[:3])}"[:_LONGEST]


async def _after(job: Job, page: Page, watch: Watch, until: float) -> bool:
    """What is measured when the walk is over: the last vitals, and axe where it is asked for.

    Says whether the page answers; one that hangs does not. `until`: when axe is given up, by the
    monotonic clock.
    """
    answers = False
    with suppress(Error, TimeoutError):
        async with asyncio.timeout(0.4):
            await page.evaluate(
                "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
            )
            answers = True
    await watch.settle()
    if job.axe and until > time.monotonic():
        with suppress(Error, TimeoutError):
            async with asyncio.timeout(until - time.monotonic()):
                await page.evaluate(job.axe)
                found = await page.evaluate(
                    "axe.run().then(r => r.violations.map(v => [v.impact, v.nodes.length]))"
                )
                watch.axe = dict.fromkeys(("critical", "serious", "moderate", "minor"), 0)
                for impact, nodes in found:
                    watch.axe[impact] = watch.axe.get(impact, 0) + nodes
    return answers


async def _screenshot(page: Page, steps: Steps, seconds: float) -> bytes:
    """What was to be seen; what was typed into fields is covered."""
    hidden = [page.locator(one) for one in ("input[type=password]", *steps.masked)]
    with suppress(Error, TimeoutError):
        async with asyncio.timeout(seconds):
            picture = await page.screenshot(mask=hidden, animations="disabled")
            return picture if len(picture) <= MOST_SCREENSHOT else b""
    return b""
