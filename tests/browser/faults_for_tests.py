"""What was to be seen where a browser test failed: pages, their consoles, the log of JupyterLab, stacks of kernels."""

import re
import signal
import time

import psutil
from browser_for_tests import SHOTS

SOON = 10_000  # milliseconds: a page that hangs shall not hang this, too
END = 12_000  # characters of a log, its end


def report(test: str, browser, lab) -> list[tuple[str, str]]:
    """Titles and texts about every page that is open, and about JupyterLab if there is one; pictures are kept."""
    sections = []
    for number, page in enumerate(page for context in browser.contexts for page in context.pages):
        picture = SHOTS / f"failed-{re.sub(r'[^a-z0-9]+', '-', test.lower())}-{number}.png"
        sections.append((f"page {number}, {page.url}, in {picture}", seen(page, picture)))
        sections.append((f"console of page {number}", console(page)))
    if lab is not None:
        show_stacks(lab)
        sections.append(("JupyterLab and its kernels", lab.log.read_text()[-END:]))
    return sections


def seen(page, picture) -> str:
    """The text of a page; its picture is kept."""
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=picture, timeout=SOON)
        return page.locator("body").inner_text(timeout=SOON)
    except Exception as error:  # whatever it is: the failure of the test is what is to be told
        return f"it cannot be looked at: {error}"


def console(page) -> str:
    """Errors of a page's scripts, and what they said; not what JupyterLab says of its plugins."""
    try:
        said = [str(error) for error in page.page_errors()]
        said += [f"{message.type}: {message.text}" for message in page.console_messages()]
    except Exception as error:  # as above
        return f"it cannot be read: {error}"
    return "\n".join(line for line in said if not re.search("Plugin .* (activate|took)|jupytext", line))[-END:]


def show_stacks(lab) -> None:
    """Let every kernel of JupyterLab write into its log what each thread does."""
    for process in psutil.Process(lab.process.pid).children(recursive=True):
        if any("ipykernel" in part for part in process.cmdline()):
            process.send_signal(signal.SIGUSR1)
    time.sleep(1)
