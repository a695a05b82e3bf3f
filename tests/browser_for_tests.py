"""JupyterLab on 127.0.0.1 and a system Chromium that looks at it, for tests of what only a browser can show."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient

from tools.execution import slowness
from xattn_helpers.threads import WAITING

TESTS = Path(__file__).parent
SHOTS = TESTS.parent / "build" / "screenshots"  # where pictures stay, to be looked at
WIDTHS = (1280, 390)
SLOWNESS = min(slowness(), 10.0)  # of this machine, now: what others do to it makes every wait longer
PATIENCE = 30 * SLOWNESS  # seconds: a wait that takes longer has failed
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight are there, too
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # A kernel of a busy machine that has not said within three seconds what it is goes without subshells.
    "@jupyterlab/apputils-extension/kernels-settings": {"kernelInfoTimeout": round(1000 * PATIENCE)},
}
# What a notebook does not need to run; together they double the time until the server answers.
LEFT_OUT = ("jupyter_lsp", "jupyter_server_terminals", "jupyterlab_jupytext")
# On this signal a kernel writes to the server's log what each of its threads does.
STACKS = "import faulthandler, signal; faulthandler.register(signal.SIGUSR1, all_threads=True)"
# The kernel of the notebook that is seen. JupyterLab's own indicator says "idle" before there is a connection, and a
# cell that is run then is left out without a word.
KERNEL = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
KERNEL_IS_READY = f"{KERNEL}?.connectionStatus === 'connected' && {KERNEL}?.status === 'idle'"


class Lab:
    """A JupyterLab of its own, with settings and files in a folder."""

    def __init__(self, folder: Path):
        self.folder, self.runtime, self.log = folder / "work", folder / "runtime", folder / "lab.log"
        self.folder.mkdir()
        for name, settings in SETTINGS.items():
            _write(folder / "settings" / f"{name}.jupyterlab-settings", json.dumps(settings))
        _write(folder / "ipython" / "profile_default" / "startup" / "stacks.py", STACKS)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        options = {
            "JUPYTER_RUNTIME_DIR": self.runtime, "JUPYTER_CONFIG_DIR": folder / "config",
            "JUPYTERLAB_SETTINGS_DIR": folder / "settings", "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
            "IPYTHONDIR": folder / "ipython",
            "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)]), **WAITING,
        }  # fmt: skip
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--allow-root"]
        command += [f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
        command += [f"--ServerApp.root_dir={self.folder}", "--LabApp.news_url=None"]
        command += ["--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"]
        command += [f"--ServerApp.jpserver_extensions={name}=False" for name in LEFT_OUT]
        environment = {**os.environ, **{name: str(value) for name, value in options.items()}}
        environment.pop("MPLBACKEND", None)  # that of the tests; a kernel chooses the one that shows figures
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            until(self._answers, 2 * PATIENCE)
        except AssertionError as error:
            self.close()
            raise AssertionError(f"JupyterLab does not start:\n{self.log.read_text()}") from error

    def _answers(self) -> bool:
        assert self.process.poll() is None, "JupyterLab has ended"
        try:
            with urllib.request.urlopen(f"{self.address}/api", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def notebook(self, name: str, cells: list[str]) -> str:
        """Write a notebook; returns the address at which it opens alone."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / name)
        return f"{self.address}/doc/tree/{name}"

    def client(self, page) -> BlockingKernelClient:
        """A line to the kernel of the notebook that a page shows, to ask for what Python knows."""
        file = self.runtime / f"kernel-{page.evaluate(f'{KERNEL}.id')}.json"
        client = BlockingKernelClient(connection_file=str(file))
        client.load_connection_file()
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)  # before, an answer may come before there is somebody to hear it
        return client

    def close(self) -> None:
        """Stop the server, and with it its kernels."""
        self.process.terminate()
        try:
            self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run_all(page) -> None:
    """Run the cells of the notebook that a page shows, as soon as its kernel can be asked."""
    page.wait_for_function(KERNEL_IS_READY, timeout=2000 * PATIENCE)
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")


def until(condition, seconds: float = PATIENCE):
    """Wait for something to be true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"it did not come within {seconds:.0f} seconds")


def tell(client: BlockingKernelClient, code: str) -> None:
    """Let the kernel run code, and wait until it has. What the browser sends runs beside it, in another thread."""
    reply = client.execute(code, reply=True, timeout=PATIENCE)
    assert reply["content"]["status"] == "ok", reply["content"]


def ask(client: BlockingKernelClient, expression: str):
    """The value of an expression in the kernel, of what JSON can hold."""
    texts = []

    def hear(message):
        content = message["content"]
        texts.append(content.get("text", "") or "\n".join(content.get("traceback", [])))

    client.execute_interactive(f"import json; print(json.dumps({expression}))", timeout=PATIENCE, output_hook=hear)
    text = "".join(texts)
    try:
        return json.loads(text)
    except ValueError as error:
        raise AssertionError(f"{expression}: the kernel says {text!r}") from error


def shoot(page, name: str) -> None:
    """Keep screenshots of the notebook at both widths."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 1000 if width > 600 else 1800})
        page.wait_for_timeout(400)
        page.screenshot(path=SHOTS / f"{name}-{width}.png")
    page.set_viewport_size({"width": WIDTHS[0], "height": 1000})
    page.wait_for_timeout(200)


class Pad:
    """Hands on the pad; places are shares of the picture."""

    def __init__(self, page):
        self.page, self.svg = page, page.locator(".xattn-pad svg")

    def at(self, x, y):
        box = self.svg.bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def drag(self, *places):
        self.page.mouse.move(*self.at(*places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.at(*place), steps=4)
        self.page.mouse.up()

    def tool(self, label):
        self.page.locator(".xattn-pad").get_by_role("button", name=label).click()
