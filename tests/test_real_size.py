"""The study of models of real size: its cases, its table, and small runs of its parts on the CPU."""

import pytest
import torch

from xattn_helpers.backbones.stand_ins import LAYOUTS, write
from xattn_helpers.studies import real_size, running
from xattn_helpers.studies.real_size import WAYS, RealSize, clips, lessons

LESSON = '# %%\nIMAGE, VIDEO = "pocket-t2i", "pocket"\n# %%\nfrom xattn_helpers import load\nload(VIDEO)\n# %%\n1 / 0\n'


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(autouse=True)
def folder(stand_ins, monkeypatch):
    monkeypatch.setattr(running, "WORK", stand_ins)
    monkeypatch.setattr(real_size, "WORK", stand_ins)


@pytest.fixture
def one_lesson(tmp_path, monkeypatch):
    (tmp_path / "01_made_up.py").write_text(LESSON)
    monkeypatch.setattr(lessons, "FOLDER", tmp_path)


def case(setting, image, model, part):
    return {"setting": setting, "image": image, "model": model, "seed": 0, "part": part}


def test_every_lesson_runs_on_every_pair_and_every_model_makes_its_clips(one_lesson):
    cases = RealSize().cases()
    assert cases[0] == case("lessons, modelscope", "stable-diffusion", "modelscope", "01_made_up")
    assert cases[1]["image"] == "stable-diffusion-2.1" and cases[1]["model"] == "zeroscope"
    made = [(one["model"], one["part"]) for one in cases[2:]]
    assert made == [(model, way) for model in ("modelscope", "stable-diffusion", "zeroscope", "stable-diffusion-2.1")
                    for way in WAYS]  # fmt: skip


def test_a_lesson_is_a_row_with_what_failed(one_lesson):
    study = RealSize(smoke=True)
    (row,) = study.measure(study.cases()[:1])
    assert row["cells"] == 3 and row["failed cells"] == 1 and row["peak GiB"] is None
    assert row["failure"] == "1 / 0: ZeroDivisionError: division by zero" and row["seconds"] > 0 and row["steps"] == 2


def test_a_clip_is_timed_in_each_way_a_cpu_can_do():
    study = RealSize(smoke=True)
    rows = study.measure([case("clips", "", "stable-diffusion", way) for way in ("unguided", "guided")])
    for row in rows:
        assert row["failure"] == "" and row["seconds"] > 0 and row["peak GiB"] is None
        assert (row["steps"], row["clip"]) == (2, "1 x 128 x 128")


def test_a_clip_that_does_not_fit_is_a_row_too(monkeypatch):
    def too_large(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(real_size, "time_clip", too_large)
    study = RealSize(smoke=True)
    (row,) = study.measure([case("clips", "", "stable-diffusion", "guided")])
    assert row["failure"] == "out of memory" and "seconds" not in row


def test_the_key_changes_with_the_cells_of_a_lesson(one_lesson, tmp_path):
    study, (lesson, *_, clip) = RealSize(), RealSize().cases()
    before = study.key(lesson), study.key(clip)
    (tmp_path / "01_made_up.py").write_text(LESSON + "# %%\nprint(2)\n")
    after = study.key(lesson), study.key(clip)
    assert before[0] != after[0] and before[1] == after[1]


def table():
    rows = []
    for part, failed, peak in (("00_a", 0, 7.5), ("01_b", 2, 9.25)):
        about = {"cells": 20, "failed cells": failed, "failure": "", "seconds": 10.0, "peak GiB": peak, "steps": 2}
        rows.append(case("lessons, modelscope", "stable-diffusion", "modelscope", part) | about)
    for way, seconds, peak in zip(WAYS, (2.0, 4.0, 3.0, 3.5), (4.0, 8.0, 10.0, 15.0), strict=True):
        about = {"clip": "16 x 256 x 256", "steps": 25, "failure": "", "seconds": seconds, "peak GiB": peak}
        about |= {"first seconds": 3.25} if way == "guided, graphed" else {}
        rows.append(case("clips", "", "modelscope", way) | about)
    rows[-1] |= {"failure": "out of memory", "seconds": None, "peak GiB": None}
    return RealSize().summary(rows)


def test_the_table_has_lessons_by_pair_and_clips_by_model():
    summary = table()
    figures = summary["lessons"]["stable-diffusion and modelscope"]["01_b"]
    assert figures == {"cells": 20, "failed cells": 2, "failure": "", "seconds": 10.0, "peak GiB": 9.25}
    assert summary["clips"]["modelscope"]["guided"]["seconds"] == 4.0


def test_readme_shows_what_fits_and_how_many_cells_run():
    *lines, _, sentence = RealSize().markdown(table()).splitlines()
    start = "| modelscope | 16 x 256 x 256, 25 | 2.0 s, 4.0 GiB | 4.0 s, 8.0 GiB | 3.0 s (the first 3.2 s), 10.0 GiB | "
    assert lines[2].startswith(f"{start}out of memory | ")
    assert sentence == (
        "On stable-diffusion and modelscope, 38 of the 40 cells of 2 lessons run, with at most 9.2 GiB."
    )


@pytest.mark.parametrize(
    "gib, fits",
    [
        (15, "all"), (14.9, "unguided; guided; guided, graphed"), (8.5, "unguided; guided"), (8.4, "unguided"),
        (4, "nothing"),
    ],
)
def test_a_clip_fits_where_its_peak_and_what_a_gpu_needs_beside_it_have_room(gib, fits):
    ways = {}
    for way, peak in zip(WAYS, (4.0, 8.0, 12.0, 14.5), strict=True):
        ways[way] = {"failure": "", "peak GiB": peak}
    assert real_size.what_fits(ways, gib) == fits


@pytest.mark.parametrize(
    "looks, peak",
    [
        ([(0, 5, 3), (0, 7, 3), (0, 6, 3)], 7),
        ([(0, 5, 3), (2, 5, 3), (2, 4, 3)], 6),  # recorded in the second phase, idle in the third
        ([(0, 5, 3), (2, 7, 3), (2, 3, 3)], 7),
        ([(2, 4, 3), (0, 4, 3), (0, 5, 3)], 6),  # given up in the second phase
        ([(2, 4, 3), (4, 5, 3)], 7),
    ],
)  # fmt: skip
def test_the_peak_counts_what_graphs_reserve_once(looks, peak, monkeypatch):
    latents, resets = torch.randn(1, 4, 1, 8, 8), []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: resets.append(None))
    with clips.Watch().attach(None) as watch:
        for graphs, most, now in looks:
            monkeypatch.setattr(clips, "reserved_by_graphs", lambda graphs=graphs: graphs)
            monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda most=most: most)
            monkeypatch.setattr(torch.cuda, "memory_allocated", lambda now=now: now)
            assert watch.update(latents, None, 0) is latents
    assert watch.peak == peak and len(resets) == len(looks) + 1


# Stand-ins


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_stand_in_has_the_published_files(name, stand_ins):
    target = write(name, stand_ins / "stand_ins" / "small", small=True)
    suffix = "bin" if "scope" in name else "safetensors"
    names = {file.name for file in (target / "unet").iterdir()} - {"config.json"}
    wanted = {f"diffusion_pytorch_model.{suffix}", f"diffusion_pytorch_model.fp16.{suffix}"}
    assert names == (wanted if name != "zeroscope" else {f"diffusion_pytorch_model.{suffix}"})
    merges = (target / "tokenizer" / "merges.txt").read_text().splitlines()
    assert merges[0] == "#version: 0.2" and len(merges) > 900
    before = (target / "model_index.json").stat().st_mtime_ns
    assert write(name, target.parent, small=True) == target
    assert (target / "model_index.json").stat().st_mtime_ns == before, "written once"


def test_an_unknown_stand_in_names_those_that_are_there(tmp_path):
    with pytest.raises(ValueError, match="name='pocket': possible are 'modelscope', 'zeroscope'"):
        write("pocket", tmp_path)
