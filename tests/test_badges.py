"""make badges: the repository's address, where it is written, and what is refused as one."""

import subprocess
import sys

import nbformat
import pytest
from lessons_for_tests import contents, executed, small_copy

from tools import badges, pairs

pytestmark = pytest.mark.usefixtures("copied_kernels")


@pytest.fixture
def copy(tmp_path):
    return small_copy(tmp_path)


def test_stamping_writes_the_address_everywhere(copy):
    executed(copy / "notebooks" / "00_two.py")
    assert badges.current(copy).repository == "" and badges.UNKNOWN_LINKS in contents(copy)["README.md"]
    badges.stamp("teacher/fork", copy)
    assert badges.current(copy) == ("teacher/fork", "main")
    for name in ("README.md", "00_two.py", "00_two.ipynb"):
        assert "/teacher/fork/blob/main/notebooks/00_two.ipynb" in contents(copy)[name], name
    for name in ("00_two.py", "00_two.ipynb"):
        assert "git+https://github.com/teacher/fork@main" in contents(copy)[name], name
        assert "print(6 * 7)" in contents(copy)[name], name
    assert pairs.drift(copy / "notebooks" / "00_two.py") == ""


def test_a_branch_is_where_links_lead_and_what_is_installed(copy):
    badges.stamp("teacher/fork", copy, branch="draft/one")
    text = contents(copy)["00_two.py"]
    assert "/teacher/fork/blob/draft/one/notebooks/00_two.ipynb" in text and "/fork/draft%2Fone?urlpath" in text
    assert "git+https://github.com/teacher/fork@draft/one" in text


@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        ([], ("first/one", "draft")), (["", ""], ("first/one", "draft")), (["", "next"], ("first/one", "next")),
        (["second/two", ""], ("second/two", "main")), (["second/two", "next"], ("second/two", "next")),
    ],
)  # fmt: skip
def test_the_command_keeps_what_is_not_said(copy, monkeypatch, capsys, arguments, address):
    badges.stamp("first/one", copy, branch="draft")
    current, stamp = badges.current, badges.stamp
    monkeypatch.setattr(badges, "current", lambda: current(copy))
    monkeypatch.setattr(badges, "stamp", lambda text, branch: stamp(text, copy, branch))
    monkeypatch.setattr(sys, "argv", ["badges", *arguments])
    badges.main()
    assert current(copy) == address and f"stamped: {address[0]}, branch {address[1]}\n" == capsys.readouterr().out


@pytest.mark.parametrize("address", ["", "an-owner-with-a-long-name/a-repository-with-a-long-name"])
def test_ruff_accepts_what_is_stamped(copy, address):
    badges.stamp(address, copy)
    checked = subprocess.run([sys.executable, "-m", "ruff", "check", "notebooks"], cwd=copy, capture_output=True)
    assert checked.returncode == 0, checked.stdout.decode()


def test_stamping_keeps_the_outputs(copy):
    before = executed(copy / "notebooks" / "00_two.py")
    badges.stamp("teacher/fork", copy)
    after = nbformat.read(copy / "notebooks" / "00_two.ipynb", as_version=4)
    assert before.cells[2].outputs
    assert [cell.get("outputs") for cell in before.cells] == [cell.get("outputs") for cell in after.cells]


def test_stamping_twice_is_stamping_once_and_a_fork_can_stamp_again(copy):
    neutral = contents(copy)
    badges.stamp("first/one", copy)
    once = contents(copy)
    badges.stamp("first/one", copy)
    assert contents(copy) == once != neutral
    badges.stamp("second/two", copy)
    assert "first/one" not in "".join(contents(copy).values())
    badges.stamp("", copy)
    assert contents(copy) == neutral


# The address


@pytest.mark.parametrize(
    "wrong",
    [
        "name", "owner/name/more", 'a/b"', "./..", "owner/..", "owner/.", "../name", "-owner/name", "owner/", "/name",
        "owner/name.git", "öwner/name", "owner/näme", "owner/na me", "owner/name;ls", "owner/$(ls)", "owner/`ls`",
        "owner/name\nmore", "https://github.com/owner",
        "https://example.com/owner/name", "https://github.com/owner/..", "o" * 40 + "/name", "owner/" + "n" * 101,
    ],
)
def test_a_wrong_address_is_refused(copy, wrong):
    before = contents(copy)
    with pytest.raises(ValueError, match="owner/name"):
        badges.stamp(wrong, copy)
    assert contents(copy) == before


@pytest.mark.parametrize("wrong", ["a b", "../a", "a//b", "-a", "a/", 'a"', "a;b", "$(ls)", "a\nb", "a" * 101, "ä"])
def test_a_wrong_branch_is_refused(copy, wrong):
    before = contents(copy)
    with pytest.raises(ValueError, match="BRANCH is"):
        badges.stamp("owner/name", copy, branch=wrong)
    assert contents(copy) == before


def test_an_address_of_ten_thousand_characters_is_refused_in_one_line(copy):
    with pytest.raises(ValueError, match="10000 characters") as refusal:
        badges.stamp("a/" + "b" * 9998, copy)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    "copied",
    [
        "owner/a.name-1", " owner/a.name-1\n", "https://github.com/owner/a.name-1", "https://github.com/owner/a.name-1/",
        "https://github.com/owner/a.name-1.git", "http://www.github.com/owner/a.name-1",
        "git@github.com:owner/a.name-1.git",
    ],
)
def test_a_copied_url_is_an_address(copy, copied):
    badges.stamp(copied, copy)
    assert badges.current(copy) == ("owner/a.name-1", "main")
    assert "git+https://github.com/owner/a.name-1@main\"" in contents(copy)["00_two.py"]


@pytest.mark.parametrize("branch", ["draft", "draft/one", "v1.0", "x"])
def test_a_copied_url_of_a_branch_says_the_branch(copy, branch):
    badges.stamp(f"https://github.com/owner/name/tree/{branch}", copy)
    assert badges.current(copy) == ("owner/name", branch)
