"""The page on teaching and the slides: what they link to is there, and nothing needs a network."""

import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nbformat import NotebookNode

from tools import lab as copies
from tools import links, notebooks
from tools.teaching import __main__ as teaching
from tools.teaching import site, slides, versions
from xattn_helpers.studies import lab_class, lab_cost

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
HREF = re.compile(r'href="([^"#]+)')
TEXTS = (site.PAGE, slides.SOURCE, versions.SHEET, versions.SOURCE)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, site.build(out)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        assert target.startswith("https://") or Path(os.path.normpath(path.parent / target)).exists(), target


def test_the_page_has_what_was_measured():
    """After a change, `python -m tools.teaching` must have been run."""
    assert site.PAGE.read_text(encoding="utf-8") == teaching.page()


def test_plans_add_up():
    text = site.PAGE.read_text(encoding="utf-8")
    spans = [(int(begin), int(end)) for begin, end in re.findall(r"^\| (\d+) to (\d+) \|", text, re.MULTILINE)]
    assert spans[0][0] == 0 and spans[-1][1] == 90
    assert all(before[1] == after[0] for before, after in zip(spans[:-1], spans[1:], strict=True))
    minutes = [task.minutes for task in versions.tasks()]
    assert [end - begin for begin, end in spans[1:-1]] == minutes
    assert all(f"lesson {number}](" in text or f"[{number}](" in text for number in ("00", "01", "05", "06"))


def test_pages_link_to_pages(built):
    out, files = built
    assert {"slides.html", "lab.html", "docs-TEACHING.html", "notebooks-lab-points.html", "student.ipynb"} <= {
        file.name for file in files
    }
    lessons = {f"{source.stem}.html" for source in notebooks.sources()}
    for file in files:
        if file.suffix != ".html":
            continue
        text = file.read_text(encoding="utf-8")
        for target in HREF.findall(text):
            is_known = target.startswith("https://") or target in {*lessons, "index.html"} or (out / target).exists()
            assert is_known, f"{file.name}: {target}"
        assert "<script src" not in text and "<link" not in text and not re.findall(r'src="(?!data:)', text)


def test_the_page_on_teaching_leads_to_all_of_it(built):
    text = (built[0] / "docs-TEACHING.html").read_text(encoding="utf-8")
    for target in ("lab/student.ipynb", "lab.html", "slides.html", "notebooks-lab-points.html"):
        assert f'href="{target}"' in text
    assert 'href="docs-TEACHING.html"' in (site.pages.SITE / "index.html.jinja2").read_text(encoding="utf-8")


def test_ten_slides_with_pictures_notes_and_a_heading(built):
    text = (built[0] / "slides.html").read_text(encoding="utf-8")
    parts = text.split("<section ")[1:]
    assert len(parts) == 10 and "teacher.ipynb#" not in text
    for part in parts:
        assert re.search("<h[12]", part) and len(re.findall("<h[12]", part)) == 1 and "<aside>" in part
    assert sum("<img" in part for part in parts) >= 5 and text.count("<math") >= 2


def test_a_picture_that_the_lab_lacks_is_named():
    with pytest.raises(ValueError, match="no picture 'nowhere'.*tools.teaching --run"):
        slides.with_pictures("![x](teacher.ipynb#nowhere)", NotebookNode(cells=[]))


def test_what_a_teacher_says_is_no_html(tmp_path):
    (tmp_path / "s.md").write_text("# A & B\n\n<!-- say <b> -->\n\n---\n\n## Two\n")
    text = slides.page(tmp_path / "s.md", NotebookNode(cells=[]))
    assert "<aside>say &lt;b&gt;</aside>" in text and "<title>A &amp; B</title>" in text
    assert text.count("<section") == 2 and text.count("<aside>") == 1


def test_make_lab_copies_the_students_version_and_the_drawings(tmp_path, monkeypatch):
    monkeypatch.setattr(copies, "COPIES", tmp_path / "mine")
    monkeypatch.setattr(notebooks, "sources", lambda: [])
    copies.main()
    own = versions.stored(tmp_path / "mine" / "lab" / "student.ipynb")
    pictures = LINK.findall("\n".join(cell.source for cell in own.cells if "![" in cell.source))
    assert [cell.source for cell in own.cells] == [cell.source for cell in versions.student().cells]
    for target in pictures:
        if target.endswith(".svg"):
            assert (tmp_path / "mine" / "lab" / target).exists(), target


def test_other_texts_that_have_pages_are_found_as_before():
    found = links.documents([("[a](docs/RESULTS.md) [b](notebooks/lab/slides.md)", notebooks.ROOT)])
    assert notebooks.ROOT / "docs" / "RESULTS.md" in found and slides.SOURCE not in found


# What the lab costs


SOURCE = """# %% [markdown]
# # Lab
# %% tags=["x"]
a = 1
# %% [markdown]
# ## Start: 5 minutes
# %%
b = sum(range(10**6))
# %%
c = bytes(2 * 10**7)
# %% [markdown]
# ## Task 1 ● 10 minutes, 10 points: when?
# %%
d = 1
"""


def test_the_lab_is_measured_part_by_part(tmp_path):
    parts = lab_cost.parts(SOURCE)
    assert [(part.title, len(part.cells)) for part in parts] == [("", 1), ("Start", 2), ("Task 1", 1)]
    rows = lab_cost.run(parts, str(tmp_path), 1)
    assert rows[1]["work seconds"] >= rows[1]["slowest cell, work seconds"] > 0
    assert rows[1]["peak GiB"] >= 2e7 / 2**30 and rows[2]["peak GiB"] >= rows[1]["peak GiB"]


def test_a_cell_that_fails_is_named(tmp_path):
    with pytest.raises(RuntimeError, match="Task 9, cell 'x = 1 / 0': ZeroDivisionError"):
        lab_cost.run([lab_cost.Part("Task 9", ("x = 1 / 0\n",))], str(tmp_path), 1)


def test_thirty_students_by_hand():
    rows = []
    for part, work, slowest, peak in (("Start", 10.0, 9.0, 0.5), ("Task 1", 50.0, 30.0, 1.0)):
        row = {"setting": "lab", "part": part, "seconds": 2 * work, "work seconds": work, "peak GiB": peak}
        rows.append(row | {"slowest cell, work seconds": slowest})
    rows.append({"setting": "server", "part": "JupyterLab", "peak GiB": 0.25})
    table = lab_cost.LabCost().summary(rows)
    assert table["work seconds"] == 60 and table["kernel GiB"] == 1 and table["slowest cell, work seconds"] == 30
    said = lab_cost.for_a_class(table)
    assert "30 students need 38 GiB" in said  # 30 × 1.25 = 37.5
    assert "The cells took 2.0 times as long" in said and "30 × 60 s, is that of 0.3 cores over 90 minutes" in said
    assert "1.9 min on 8, 0.9 min on 16, 0.5 min on 32 cores" in said  # 30 × 30 s / 8 = 112.5 s


def test_a_class_begins_together_and_its_slowest_kernel_counts(monkeypatch):
    begun, looked = threading.Barrier(3, timeout=60), threading.Event()  # the barrier opens when three have come
    free = iter([50.0])

    def free_memory():
        """The second look, and all after it, are while the kernels run."""
        left = next(free, None)
        if left is None:
            looked.set()
        return left or 44.0

    def timed(lab, folder, threads):
        assert lab == ["the lab"] and threads == 1 and Path(folder).is_dir()
        place = begun.wait()
        assert looked.wait(60)
        return {"seconds": 100.0 + place, "slowest part, seconds": 60.0 - place}

    monkeypatch.setattr(lab_class, "timed", timed)
    monkeypatch.setattr(lab_class, "free_memory", free_memory)
    monkeypatch.setattr(lab_class, "GLANCE", 0.001)
    rows, together = lab_class.at_once(["the lab"], 3, 1, ThreadPoolExecutor)
    assert sorted(row["seconds"] for row in rows) == [100, 101, 102] and together == 6
    rows = [row | {"cores": 16, "GiB together": 18.0} for row in rows]
    said = lab_class.LabClass().markdown(lab_class.LabClass().summary(rows))
    assert "3 kernels at once on 16 cores" in said and "after 1.7 minutes" in said  # 102 s
    assert "longer than 60 s" in said and "18 GiB, 6.00 a student" in said


def test_the_memory_that_is_taken_is_the_most_that_was_missing(monkeypatch):
    looked, free = threading.Event(), iter([10.0, 9.0, 6.5, 8.0])

    def look():
        try:
            return next(free)
        except StopIteration:
            looked.set()
            return 8.0

    monkeypatch.setattr(lab_class, "free_memory", look)
    monkeypatch.setattr(lab_class, "GLANCE", 0.001)
    with lab_class.Memory() as memory:
        assert looked.wait(60)
    assert memory.peak == 3.5


def test_every_part_of_the_lab_is_a_case():
    cases = lab_cost.LabCost().cases()
    titles = [case["part"] for case in cases]
    assert titles[0] == "Start" and titles[-1] == "JupyterLab" and {f"Task {n}" for n in range(1, 7)} <= set(titles)
