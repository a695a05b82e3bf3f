"""What a teacher finds among the pages of the tutorial: the page on teaching, the lab, its sheet and the slides."""

import shutil
from pathlib import Path

from tools import links, pages
from tools.notebooks import ROOT
from tools.teaching import slides, versions

PAGE = ROOT / "docs" / "TEACHING.md"


def build(out: Path) -> list[Path]:
    """Writes all of it, from what is stored, into the folder of the pages; returns its files."""
    student = out / links.PLACES["notebooks/lab/student.ipynb"]
    student.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(versions.STUDENT, student)
    lab = versions.stored(versions.TEACHER)
    texts = {
        "slides.html": slides.page(lab=lab),
        "lab.html": pages.page(lab, folder=versions.FOLDER),
    }
    linked = links.documents([(PAGE.read_text(encoding="utf-8"), PAGE.parent), (links.text_of(lab), versions.FOLDER)])
    for path in [PAGE, *linked]:
        texts[links.document_page(path)] = pages.document(path)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    return [student, *(out / name for name in texts)]
