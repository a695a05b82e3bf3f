"""What holds for every test: no network, a cache that is not the user's, and plots that open no window."""

import gc
import os
import socket

# Before transformers or diffusers is imported: they read these once.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ.setdefault("MPLBACKEND", "agg")

import kernels_for_tests
import pytest

LONG = (
    "test_lessons.py", "test_lessons_pocket.py", "test_lessons_transformers.py", "test_before_the_move.py",
    "test_badges.py",
)  # fmt: skip
LOCAL = ("127.0.0.1", "::1", "localhost")


def pytest_collection_modifyitems(items):
    """Notebooks and long files begin, so that processes that share the tests end at about the same time."""
    items.sort(key=lambda item: item.path.suffix != ".ipynb" and item.path.name not in LONG)


@pytest.fixture(autouse=True, scope="module")
def frozen():
    """What is there stays until the end: looking for garbage in all that was imported took half a second each time."""
    gc.freeze()


class Quick:
    """A plugin, because notebooks lie outside of this folder, and hooks of this file are for what is in it."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item):
        """The kernel of a notebook, which starts here, makes short clips in few steps; tests see the real defaults."""
        with pytest.MonkeyPatch.context() as patch:
            if item.path.suffix == ".ipynb":
                patch.setenv("XATTN_QUICK", "1")
                kernels_for_tests.start_by_copying(patch)
            return (yield)


def pytest_configure(config):
    config.pluginmanager.register(Quick())


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A test that connects to anything but this machine fails."""
    connect = socket.socket.connect

    def only_here(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOCAL:
            raise AssertionError(f"a test wants to connect to {address[0]}: nothing here may need a network")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)


@pytest.fixture(scope="module")
def model():
    """A tiny video model with random weights."""
    from models_for_tests import tiny  # not above: it imports diffusers

    return tiny()


@pytest.fixture
def one_thread():
    """Networks as small as those of tests are slower on several."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def quick_halves(monkeypatch):
    """Networks in half precision are as fast on a CPU as those in single precision."""
    import torch
    from half_for_tests import SLOW, by_singles

    for name in SLOW:
        monkeypatch.setattr(torch.nn.functional, name, by_singles(getattr(torch.nn.functional, name)))


@pytest.fixture
def copied_kernels(monkeypatch):
    """Kernels that a test starts begin as copies, as those of notebooks do."""
    kernels_for_tests.start_by_copying(monkeypatch)


@pytest.fixture
def unprinted(monkeypatch):
    """unprinted(): figures that cells display are made, and not turned into files; how that goes others test."""
    from IPython.core import pylabtools

    return lambda: monkeypatch.setattr(pylabtools, "print_figure", lambda *_, **__: "")


@pytest.fixture
def calls(monkeypatch):
    """How many latents each call of `Model.predict` has."""
    from xattn_helpers.backbones.model import Model

    counts, predict = [], Model.predict

    def counted(self, latents, *rest, **options):
        counts.append(len(latents))
        return predict(self, latents, *rest, **options)

    monkeypatch.setattr(Model, "predict", counted)
    return counts


@pytest.fixture
def random_detector(monkeypatch):
    """A random detector that was 'trained' on two objects, and is registered as 'random'."""
    import torch
    from measures_for_tests import OBJECTS, SCENES

    from xattn_helpers.measures import detection
    from xattn_helpers.pocket.detector import PocketDetector

    torch.manual_seed(0)
    network = PocketDetector(OBJECTS, SCENES).eval().requires_grad_(False)
    monkeypatch.setitem(detection.DETECTORS, "random", lambda device: network)
    monkeypatch.setattr(detection, "_LOADED", {})
    return network


@pytest.fixture(scope="session")
def full():
    """A recording of everything, of a run of the tiny video model with classifier-free guidance."""
    from models_for_tests import recorded

    return recorded(heads=True, every_step=True, half="both")


@pytest.fixture(scope="session")
def mean():
    """A recording as it is by default, of the same run."""
    from models_for_tests import recorded

    return recorded()
