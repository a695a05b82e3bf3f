"""Kernels that begin as copies: the libraries are loaded, and nothing else is shared."""

import os

import kernels_for_tests
import pytest
from jupyter_client.manager import start_new_kernel
from jupyter_client.provisioning import local_provisioner

pytestmark = pytest.mark.skipif(not kernels_for_tests.POSSIBLE, reason="kernels are new processes here")


@pytest.fixture
def started(monkeypatch, tmp_path):
    """start(): a kernel of this folder and with MARK in its environment, by its manager and its client."""
    monkeypatch.setenv("MARK", "of this test")
    kernels_for_tests.start_by_copying(monkeypatch)
    running = []

    def start():
        running.append(start_new_kernel(cwd=str(tmp_path)))
        return running[-1]

    yield start
    for manager, client in running:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        assert not manager.is_alive()


def said(client, code):
    """What a kernel prints, or the name of its error."""
    texts = []

    def hear(message):
        texts.append(message["content"].get("text") or message["content"].get("ename", ""))

    client.execute_interactive(code, output_hook=hear, timeout=60)
    return "".join(texts).strip()


def test_libraries_are_loaded_and_what_one_kernel_changes_no_other_sees(started, tmp_path):
    first, second = (client for _, client in (started(), started()))
    assert said(first, "import sys; print('torch' in sys.modules, 'diffusers' in sys.modules)") == "True True"
    said(first, "import os, torch; os.environ['MARK'] = 'first'; torch.mark = mark = 1; torch.manual_seed(1)")
    assert said(second, "mark") == "NameError"
    assert said(second, "import os, torch; print(hasattr(torch, 'mark'), os.environ['MARK'])") == "False of this test"
    assert said(second, "print(os.getcwd())") == str(tmp_path)
    assert said(second, "print(torch.initial_seed())") != said(first, "print(torch.initial_seed())") == "1"


def test_a_kernel_is_interrupted_alone_and_the_manager_sees_its_end(started):
    (manager, client), (other, _) = started(), started()
    assert os.getpgid(manager.provisioner.pid) == manager.provisioner.pid != os.getpgid(0)
    client.execute("import time; print('begins', flush=True); time.sleep(600)")
    while client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
        pass  # before the cell itself runs, an interrupt may meet the kernel between two of its own steps
    manager.interrupt_kernel()
    assert client.get_shell_msg(timeout=60)["content"]["ename"] == "KeyboardInterrupt"
    client.execute("import os; os._exit(3)")
    assert manager.provisioner.process.wait() == 3 and not manager.is_alive() and other.is_alive()


def test_elsewhere_each_kernel_is_a_new_process(monkeypatch):
    usual = local_provisioner.launch_kernel
    monkeypatch.setattr(kernels_for_tests, "POSSIBLE", False)
    kernels_for_tests.start_by_copying(monkeypatch)
    assert local_provisioner.launch_kernel is usual
