"""Kernel > Interrupt for what a button does.

JupyterLab runs a callback in a *subshell*, a thread beside that of the cells. The signal of an interrupt reaches
the main thread alone, which ignores it between cells. So while a callback runs in another thread, the main thread is
asked to hand the interrupt on.
"""

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, an interrupt of the kernel raises KeyboardInterrupt in this thread, too."""
    loop = _main_loop()
    if loop is None or threading.current_thread() is threading.main_thread():
        yield
        return
    thread = threading.get_ident()
    _RUNNING.add(thread)
    loop.add_callback(_listen, thread)
    try:
        yield
    finally:
        _RUNNING.discard(thread)
        loop.add_callback(_forget, thread)


_RUNNING: set[int] = set()  # threads
_BEFORE: dict[int, Any] = {}  # what handled the signal before, for each of them


def _listen(thread: int) -> None:
    """In the main thread: hand the signal on to a thread."""
    _BEFORE[thread] = signal.signal(signal.SIGINT, lambda *_: _interrupt(thread))


def _forget(thread: int) -> None:
    """In the main thread: what handled the signal before handles it again."""
    signal.signal(signal.SIGINT, _BEFORE.pop(thread))


def _interrupt(thread: int) -> None:
    if thread in _RUNNING:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt))


def _main_loop() -> Any:
    """The event loop of a kernel's main thread; None where there is no kernel."""
    try:
        from ipykernel.kernelapp import IPKernelApp
    except ImportError:
        return None
    return IPKernelApp.instance().io_loop if IPKernelApp.initialized() else None
