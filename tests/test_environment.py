"""The files that must agree about the environment: pyproject.toml, the constraints, conda's and Binder's."""

import ast
import re
import socket
import tomllib
from importlib import metadata

import pytest
import yaml

from tools import badges, constraints, notebooks


def project():
    return tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text())["project"]


def name_of(requirement):
    name = re.split("[<>=!~; ]", requirement.strip())[0].lower().replace("_", "-")
    return {"pytorch": "torch", "pytorch-cpu": "torch"}.get(name, name)


def floor_of(requirement):
    return requirement.partition(">=")[2].strip()


def dependencies():
    return {name_of(requirement) for requirement in project()["dependencies"]}


def conda(path):
    """The requirements of a conda environment, those for pip included, and without Python, pip and this project."""
    listed = yaml.safe_load((notebooks.ROOT / path).read_text())["dependencies"]
    flat = [r for item in listed for r in (item["pip"] if isinstance(item, dict) else [item])]
    return {name_of(r): floor_of(r) for r in flat if name_of(r) not in ("python", "pip", "-e")}


def test_environment_yml_lists_what_pyproject_lists_with_the_same_floors():
    extras = project()["optional-dependencies"]
    wanted = project()["dependencies"] + extras["lab"] + extras["dev"]
    assert conda("environment.yml") == {name_of(r): floor_of(r) for r in wanted}


def test_binder_lists_a_part_of_environment_yml():
    assert conda("binder/environment.yml").items() <= conda("environment.yml").items()


@pytest.mark.parametrize("file", ["constraints.txt", "constraints-colab.txt"])
def test_the_constraints_pin_every_dependency_and_no_build(file):
    lines = [line for line in (notebooks.ROOT / file).read_text().splitlines() if line and line[0] != "#"]
    extras = project()["optional-dependencies"]
    assert {name_of(r) for r in project()["dependencies"] + extras["dev"]} <= {name_of(line) for line in lines}
    assert all(line.count("==") == 1 and "+" not in line and "/" not in line for line in lines)


def colab_packages():
    """What the set-up cell installs on Colab beside this project."""
    return set(ast.literal_eval(re.search(r"packages = (\[.*\])", badges.SET_UP)[1]))


def test_the_colab_cell_installs_only_what_the_project_needs():
    installed = colab_packages() & dependencies()
    # --no-deps: what these need, and what is no dependency of other packages on Colab, has to be named as well.
    needed = {name_of(r) for package in installed for r in metadata.requires(package) or [] if "extra ==" not in r}
    assert installed and colab_packages() - installed <= needed
    assert metadata.requires("jaxtyping") and "wadler-lindig" in needed


def test_every_file_of_the_package_would_be_installed():
    package = notebooks.ROOT / "xattn_helpers"
    patterns = tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    installed = set()
    for name, globs in patterns.items():
        for pattern in globs:
            # A folder's name ends no pattern of pathlib: "weights/**" alone means folders there.
            installed |= set(notebooks.ROOT.joinpath(*name.split(".")).glob(pattern.replace("**", "**/*")))
    files = {path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert package / "py.typed" in files
    assert sorted(str(path.relative_to(package)) for path in files - installed) == []


def test_types_are_checked_for_the_oldest_python_and_in_all_code():
    settings = tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text())
    checked = settings["tool"]["basedpyright"]
    assert settings["project"]["requires-python"] == f">={checked['pythonVersion']}"
    assert checked["include"] == ["xattn_helpers", "tools"] and checked["typeCheckingMode"] == "basic"


def test_no_comment_silences_the_type_checker():
    silenced = re.compile(r"#\s*(type:\s*ignore|pyright:|basedpyright:)")
    assert [str(path) for folder in ("xattn_helpers", "tools") for path in (notebooks.ROOT / folder).rglob("*.py")
            if silenced.search(path.read_text())] == []


def test_every_folder_of_code_is_a_package_or_it_would_not_be_installed():
    folders = {path.parent for path in (notebooks.ROOT / "xattn_helpers").rglob("*.py")}
    assert [folder.name for folder in folders if not (folder / "__init__.py").exists()] == []


def test_constraints_are_portable():
    frozen = "torch==2.13.0+cpu\nnvidia-cublas==13.1\n# Editable install\n-e /here\nmine @ file:///here\npip==26.0\ntriton==3.6\nnumpy==2.4.6\n"
    assert constraints.portable(frozen) == constraints.HEADER + "torch==2.13.0\nnumpy==2.4.6\n"


def test_a_test_that_wants_the_network_fails():
    with pytest.raises(AssertionError, match="192.0.2.1"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
