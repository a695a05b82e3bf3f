"""What an installation outside of a checkout has: the wheel, and the source distribution. Nothing needs a network."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest
import yaml

import xattn_helpers
from tools import notebooks

NOT_TRACKED = (".git", ".venv*", "build", "runs", "*.egg-info", "__pycache__", ".*_cache", ".ipynb_checkpoints")
PACKAGE = notebooks.ROOT / "xattn_helpers"
USE = """
import xattn_helpers
from xattn_helpers.pocket.world.vocabulary import OBJECTS
from xattn_helpers.studies import load_table
from xattn_helpers.studies.study import names
print(xattn_helpers.__file__, xattn_helpers.__version__, len(names()))
assert load_table("guidance") and load_table("forward_swap")
model = xattn_helpers.load("pocket-t2i")
clip = xattn_helpers.generate(model, "a burger on the beach", seed=0, steps=1, progress=False)
print(clip.video.ndim, sorted(OBJECTS) == sorted(sprite.stem for sprite in SPRITES))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the wheel and the source distribution, and what the build said."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(notebooks.ROOT, folder / "source", ignore=shutil.ignore_patterns(*NOT_TRACKED))
    build = f"import setuptools.build_meta as b; b.build_sdist({str(folder)!r}); b.build_wheel({str(folder)!r})"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    finished = subprocess.run(
        [sys.executable, "-c", build], cwd=folder / "source", capture_output=True, text=True, env=environment
    )
    assert finished.returncode == 0, finished.stderr
    return folder, finished.stdout + finished.stderr


def test_the_build_warns_of_nothing(built):
    assert [line for line in built[1].splitlines() if re.search("warn|deprecat", line, re.IGNORECASE)] == []


def test_the_wheel_has_every_file_of_the_package_and_nothing_else(built):
    (wheel,) = built[0].glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    files = (path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    wanted = {path.relative_to(notebooks.ROOT).as_posix() for path in files}
    assert {name for name in names if ".dist-info/" not in name} == wanted
    for part in ("pocket/weights/unet/config.json", "pocket/world/sprites/burger.svg", "studies/results/guidance.json"):
        assert f"xattn_helpers/{part}" in wanted


def test_the_source_distribution_has_its_tests(built):
    (archive,) = built[0].glob("*.tar.gz")
    names = {name.partition("/")[2] for name in tarfile.open(archive).getnames()}
    for folder in ("tests", "tools", "notebooks", "binder", "docs"):
        source = built[0] / "source"
        files = {path.relative_to(source).as_posix() for path in (source / folder).rglob("*") if path.is_file()}
        assert sorted(files - names) == [], folder
    assert {"tests/conftest.py", "Makefile", "CITATION.cff", "constraints.txt", "constraints-colab.txt"} <= names
    assert not [name for name in names if name.endswith(".pyc")]


def test_it_works_outside_of_a_checkout(built):
    (wheel,) = built[0].glob("*.whl")
    zipfile.ZipFile(wheel).extractall(built[0] / "site")
    sprites = "from pathlib import Path; import xattn_helpers.pocket.world as world\n"
    sprites += "SPRITES = Path(world.__file__).with_name('sprites').glob('*.svg')\n"
    finished = subprocess.run(
        [sys.executable, "-c", sprites + USE], cwd=built[0], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(built[0] / "site")},
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    where, generated = finished.stdout.splitlines()
    assert where.startswith(f"{built[0] / 'site'}") and f" {xattn_helpers.__version__} " in where
    assert generated == "4 True"


def test_the_version_is_that_of_the_citation():
    citation = yaml.safe_load((notebooks.ROOT / "CITATION.cff").read_text())
    assert xattn_helpers.__version__ == citation["version"]
