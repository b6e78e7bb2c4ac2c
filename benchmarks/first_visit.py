"""What a first visit to the page costs: make first-visit [ARGS=--write].

A browser that has never been here opens the page, gives a name and says something as soon as the
page lets it, on a slow line. `--write` puts the figures into README.txt. Fails if the first message
takes longer than it may.
"""

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness.browser import running
from benchmarks.harness.chat import ChatServer

README = Path(__file__).parents[1] / "README.txt"
FIGURES = re.compile(r"(?<=\nA first visit costs ).*?(?=\n\n)", re.S)
SLOW = {"latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}  # ms, bytes/s
MOST = 3.5  # seconds to the first message on the slow line
PATIENCE = 60  # seconds
# A visitor without hands: acts as soon as there is something to act on, notes when it was done.
VISITOR = """setInterval(() => {
    const find = (selector) => document.querySelector(selector);
    const say = (form, field, text) => {
        find(field).value = text;
        find(field).dispatchEvent(new Event('input'));
        find(form).requestSubmit();
    };
    if (find('#nick-dialog[open] #nick-error:empty') && !window.named) {
        window.named = true;
        say('#nick-form', '#nick-field', 'visitor');
    } else if (window.named && !find('#nick-dialog[open]') && !window.said) {
        window.said = true;
        say('#composer', '#composer-text', 'hello');
    } else if (find('.own.sent, .own.stored')) window.stored ??= performance.now() / 1000;
}, 5)"""


class Visit(NamedTuple):
    """Up to the first message that is stored."""

    requests: int
    bytes: int
    seconds: float


def visit(browser: Any, line: dict[str, int]) -> Visit:
    """The first visit to a chat of its own."""
    with ChatServer() as server, browser.new_context() as context:
        page = context.new_page()
        tools = context.new_cdp_session(page)
        sizes: dict[str, int] = {}
        tools.on("Network.requestWillBeSent", lambda event: sizes.setdefault(event["requestId"], 0))
        tools.on(
            "Network.loadingFinished",
            lambda event: sizes.update({event["requestId"]: int(event["encodedDataLength"])}),
        )
        tools.send("Network.enable")
        tools.send("Network.emulateNetworkConditions", {"offline": False, **line})
        page.add_init_script(VISITOR)
        page.goto(server.url, wait_until="commit")
        for _ in range(PATIENCE * 20):
            if seconds := page.evaluate("window.stored"):
                return Visit(len(sizes), sum(sizes.values()), seconds)
            page.wait_for_timeout(50)
        raise SystemExit(f"no message was stored within {PATIENCE} seconds")


def told(slow: Visit) -> str:
    """The figures as the README has them."""
    cost = f"{slow.requests} requests and {slow.bytes / 1000:.0f} kB"
    return (
        f"{cost} until the first message is stored,\nafter {slow.seconds:.1f} s"
        " on a line of 400 kbit/s and 400 ms"
        "\n(`make first-visit ARGS=--write` keeps these figures)."
    )


def main() -> None:
    """Print the figures; write them down if asked to."""
    with running() as browser:
        slow = visit(browser, SLOW)
    figures = told(slow)
    print(f"A first visit costs {figures}")
    if "--write" in sys.argv[1:]:
        text, count = FIGURES.subn(lambda _: figures, README.read_text())
        if count != 1:
            raise SystemExit("README.txt has no line for the figures")
        README.write_text(text)
    if slow.seconds > MOST:
        raise SystemExit(f"that is more than {MOST} s")


if __name__ == "__main__":
    main()
