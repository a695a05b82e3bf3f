"""Kernel > Interrupt stops what a button does, in a real kernel: in its main thread and in one beside it."""

import time
from pathlib import Path

import kernels_for_tests
import pytest
from jupyter_client.manager import start_new_kernel

START = """
import sys
import time
from pathlib import Path
sys.path.insert(0, "{tests}")
from xattn_helpers.display.explorers.runner import Runner

class Slow(Runner):
    def is_current(self):
        return False

    def make(self):
        Path("{began}").touch()
        for _ in range(6000):
            time.sleep(0.01)

from models_for_tests import tiny
panel = Slow(tiny(), "")
print(panel.run_button.comm.comm_id)
"""
TESTS = str(Path(__file__).parent)
SAID = "print(panel.message.value, panel.run_button.description)"
ANYWHERE = "vars(panel.run_button.comm).pop('_reply_subshell_id', None)"  # not only where the widget was made


@pytest.fixture(scope="module")
def kernel():
    with pytest.MonkeyPatch.context() as patch:
        kernels_for_tests.start_by_copying(patch)
        manager, client = start_new_kernel(kernel_name="python3")
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def printed(client, code):
    texts = []
    client.execute_interactive(code, timeout=120, output_hook=lambda message: texts.append(message["content"]))
    return "".join(content.get("text", content.get("evalue", "")) for content in texts)


def subshell(client):
    """The number of a new subshell."""
    client.control_channel.send(client.session.msg("create_subshell_request"))
    return client.get_control_msg(timeout=30)["content"]["subshell_id"]


def press(client, button, where):
    content = {"comm_id": button, "data": {"method": "custom", "content": {"event": "click"}}}
    message = client.session.msg("comm_msg", content)
    message["header"]["subshell_id"] = where
    client.shell_channel.send(message)


def wait_until(condition):
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come")


def test_an_interrupt_stops_a_button_in_the_main_thread_and_beside_it(kernel, tmp_path):
    manager, client = kernel
    began = tmp_path / "began"
    start = START.replace("{began}", str(began)).replace("{tests}", TESTS)
    button, where = printed(client, start).strip(), subshell(client)
    for place in (None, where, where):  # the subshell lives on
        began.unlink(missing_ok=True)
        printed(client, ANYWHERE + "; panel.message.value = ''")
        press(client, button, place)
        wait_until(began.exists)
        time.sleep(0.5)  # until the main thread has heard of it
        manager.interrupt_kernel()
        wait_until(lambda: "Stopped" in printed(client, SAID))
        assert printed(client, SAID).endswith(" Run\n")
