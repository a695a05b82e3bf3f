"""What an import of the package does, all in one new process, because each loads torch and diffusers anew."""

import json
import os
import subprocess
import sys

import pytest

from tools import badges
from xattn_helpers.threads import NUMBER, WAITING, processors

OURS = (*WAITING, *NUMBER)
# First the set-up cell of a lesson, then the package, then its explorers, which need the widgets.
CODE = f"""import json, os, sys
import pydantic
pydantic.TypeAdapter.__init__ = None
{badges.colab_cell(badges.Address("owner/name", "draft"))}
told = {{"loaded by the cell": [name for name in ("torch", "xattn_helpers") if name in sys.modules]}}
told["waiting"] = [os.environ.get(name) for name in {tuple(WAITING)}]
from xattn_helpers.display import show
import torch
told |= {{"widgets": "ipywidgets" in sys.modules, "threads": torch.get_num_threads()}}
import xattn_helpers.display.explorers
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told():
    """What the new process prints at its end."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    command = [sys.executable, "-c", CODE]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=badges.notebooks.ROOT, env=environment)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_threads_are_told_how_to_wait_before_a_lesson_loads_torch(told):
    assert "torch" in told["loaded by the cell"] and told["waiting"] == list(WAITING.values())


def test_there_are_no_more_threads_than_processors(told):
    assert 1 <= told["threads"] <= processors()


def test_showing_needs_no_widgets(told):
    assert told["widgets"] is False


def test_an_import_builds_no_check(told):
    """They are built at the first call: the process, in which none can be built, came to its end."""
    assert told
