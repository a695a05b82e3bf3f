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

TESTS = Path(__file__).parent
SHOTS = TESTS.parent / "build" / "screenshots"  # where pictures stay, to be looked at
WIDTHS = (1280, 390)
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight are there, too
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


class Lab:
    """A JupyterLab of its own, with settings and files in a folder."""

    def __init__(self, folder: Path):
        self.folder, self.runtime = folder / "work", folder / "runtime"
        self.folder.mkdir()
        for name, settings in SETTINGS.items():
            plugin = folder / "settings" / f"{name}.jupyterlab-settings"
            plugin.parent.mkdir(parents=True, exist_ok=True)
            plugin.write_text(json.dumps(settings))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        options = {
            "JUPYTER_RUNTIME_DIR": self.runtime, "JUPYTER_CONFIG_DIR": folder / "config",
            "JUPYTERLAB_SETTINGS_DIR": folder / "settings", "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
            "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)]), "OMP_WAIT_POLICY": "PASSIVE",
        }  # fmt: skip
        command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--ip=127.0.0.1", "--allow-root"]
        command += [f"--port={self.address.rpartition(':')[2]}", "--IdentityProvider.token="]
        command += [f"--ServerApp.root_dir={self.folder}", "--LabApp.news_url=None"]
        self.log = (folder / "lab.log").open("w")
        environment = {**os.environ, **{name: str(value) for name, value in options.items()}}
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=environment)
        until(self._answers, 120)

    def _answers(self) -> bool:
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

    def client(self) -> BlockingKernelClient:
        """A line to the newest kernel, to ask for what Python knows."""
        files = sorted(self.runtime.glob("kernel-*.json"), key=lambda file: file.stat().st_mtime)
        client = BlockingKernelClient(connection_file=str(files[-1]))
        client.load_connection_file()
        client.start_channels()
        return client

    def close(self) -> None:
        """Stop the server, and with it its kernels."""
        self.process.terminate()
        self.process.wait(timeout=60)
        self.log.close()


def until(condition, seconds: float = 60):
    """Wait for something to be true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"it did not come within {seconds} seconds")


def ask(client: BlockingKernelClient, expression: str):
    """The value of an expression in the kernel, of what JSON can hold."""
    texts = []

    def hear(message):
        content = message["content"]
        texts.append(content.get("text", "") or "\n".join(content.get("traceback", [])))

    client.execute_interactive(f"import json; print(json.dumps({expression}))", timeout=60, output_hook=hear)
    return json.loads("".join(texts))


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
