"""Kernels that begin as copies of a process that has loaded the libraries: in each that would take ten seconds."""

import multiprocessing
import os
import sys
import time
from multiprocessing.process import BaseProcess

import pytest
from jupyter_client.provisioning import local_provisioner

POSSIBLE = sys.platform == "linux"  # on macOS a copy of a process with these libraries may crash
LIBRARIES = ["xattn_helpers.studies", "matplotlib.pyplot", "ipykernel.kernelapp"]


class Copy:
    """A copied process, with what the manager of a kernel asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, process: BaseProcess):
        self.process, self.pid = process, process.pid

    def poll(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self.process.exitcode

    def wait(self) -> int | None:
        """Its exit status, at its end."""
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        """Nothing at its end, when the number may be that of another process."""
        if self.poll() is None:
            os.kill(self.pid, number)


def start_by_copying(patch: pytest.MonkeyPatch) -> None:
    """Let kernels start so from now on; where that is not possible, each has a new process as before."""
    if POSSIBLE:
        patch.setattr(local_provisioner, "launch_kernel", launch)


def launch(command: list[str], *, env: dict[str, str], cwd: str | None = None, **options: object) -> Copy:
    """A kernel in a copy, for the command of a new process; what it prints beside its messages is dropped."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    arguments = command[command.index("-f") :]
    vars(sys.modules["__main__"]).setdefault("__spec__", None)  # asked for, and a worker of pytest-xdist has none
    process = context.Process(target=serve, args=(arguments, env, cwd), daemon=True)
    process.start()
    while process.is_alive() and os.getpgid(process.pid) != process.pid:
        time.sleep(0.01)  # until it has a group of its own, what interrupts its group interrupts the tests
    return Copy(process)


def serve(arguments: list[str], environment: dict[str, str], folder: str | None) -> None:
    """In the copy: become what a new process would be, and be a kernel until the end."""
    from ipykernel.kernelapp import launch_new_instance

    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder or os.curdir)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    # It ends with the process that it is a copy of, and so with the tests.
    launch_new_instance([*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])
