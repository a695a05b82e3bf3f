"""The study of given videos: its clips against their truths, what it measures of known edits, and its table by hand."""

from itertools import combinations
from unittest.mock import patch

import numpy as np
import pytest
import torch
from drawn_videos import world
from models_for_tests import tiny

from xattn_helpers import Bias, Clip
from xattn_helpers.pocket.world.captions import held_out
from xattn_helpers.studies import given_video
from xattn_helpers.studies.exchange_tuning import ExchangeTuning
from xattn_helpers.studies.given_exchange import CHOSEN, GivenExchange
from xattn_helpers.studies.given_fresh import GivenFresh
from xattn_helpers.studies.given_tuning import GivenTuning
from xattn_helpers.studies.given_video import GivenVideo, clips
from xattn_helpers.studies.given_video.clips import EDGES, KINDS, Painter
from xattn_helpers.studies.given_video.measuring import measure_edit
from xattn_helpers.studies.given_video.table import MEANS, figures, markdown, summary
from xattn_helpers.studies.store import load_rows, load_table

COUNT = 5


def some(kind):
    return clips.sample_clips(kind, COUNT, GivenVideo.first_seed)


def drawn(clip):
    """Drawn with one backdrop of each scene, whatever the story says."""
    with patch.object(clips, "World", lambda device: world()):
        painter = Painter("cpu")
    for story in (clip.source, clip.truth):
        object.__setattr__(story, "backdrop", 0)
    return painter.draw(clip)


# Clips


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_differs_from_its_truth_in_what_is_edited_alone(kind):
    for clip in some(kind):
        (actor,), (edited,) = clip.source.actors, clip.truth.actors
        assert held_out(clip.source.caption) and clip.word in clip.source.caption.split()
        same = {"name": actor.name == edited.name, "size": (actor.size == edited.size).all(),
                "position": (actor.position == edited.position).all()}  # fmt: skip
        changed = [name for name, is_same in same.items() if not is_same]
        assert changed == {"object": ["name"], "size": ["size"], "path": ["position"], "removal": ["size"]}[kind]
        assert (actor.facing == edited.facing).all() and clip.source.scene == clip.truth.scene
        assert (clip.target_prompt == clip.source.caption) == (kind != "object")


def test_what_is_asked_is_what_the_truth_has():
    for clip in some("object"):
        assert clip.new_word in clip.target_prompt.split() and clip.word not in clip.target_prompt.split()
        assert clip.target_prompt.split()[2:] == clip.source.caption.split()[2:]
    for clip in some("size"):
        np.testing.assert_allclose(clip.truth.actors[0].size, clip.asked["scale"] * clip.source.actors[0].size)
    for clip in some("path"):
        way = clip.truth.actors[0].position - clip.source.actors[0].position
        np.testing.assert_allclose(way, [[clip.asked["across"], clip.asked["down"]]] * 16)
        assert clip.truth.actors[0].position.min() >= EDGES[0] and clip.truth.actors[0].position.max() <= EDGES[1]
    for clip in some("removal"):
        assert not drawn(clip).true_masks.any() and drawn(clip).masks.any()


def test_clips_are_the_same_each_time_and_no_two_studies_share_one():
    study = GivenVideo()
    for kind in KINDS:
        own = paths_of(study, kind)
        clips.sample_clips.cache_clear()
        again = paths_of(study, kind)
        assert all((first == second).all() for first, second in zip(own, again, strict=True))
    for first, second in combinations((study, GivenTuning(), GivenFresh(), ExchangeTuning()), 2):
        assert not {case["seed"] for case in first.cases()} & {case["seed"] for case in second.cases()}
        for kind in KINDS:
            for path in paths_of(first, kind):
                assert not any((path == compared).all() for compared in paths_of(second, kind))
    assert len({case["seed"] for case in study.cases()}) == study.count == 60


def paths_of(study, kind):
    return [clip.source.actors[0].position for clip in clips.sample_clips(kind, study.count, study.first_seed)]


def test_fresh_clips_compare_two_settings_of_the_table():
    cases = GivenFresh().cases()
    assert {(case["model"], case["kind"]) for case in cases} == {("pocket-dit", "object")}
    assert {case["setting"] for case in cases} == {"edit", "skip .15"}
    knobs = {name: setting.knobs for name, setting in GivenFresh.settings["object"].items()}
    assert knobs == {"edit": {}, "skip .15": {"skip": 0.15}}


def test_the_exchanges_chosen_on_other_clips_run_on_those_of_the_table():
    assert [GivenExchange().clip(case) for case in GivenExchange().cases()[:60]] == [
        GivenVideo().clip(case) for case in GivenVideo().cases()[:60]
    ]
    tried = ExchangeTuning.settings["object"]
    for name, chosen in CHOSEN.items():
        assert GivenExchange.settings["object"][name].depends() == tried[chosen].depends()


def test_the_chosen_exchanges_are_the_best_of_those_that_keep_the_background():
    """By the stored table: of one draw of noise, of all that keep latents alone, and of all."""
    own = load_table("exchange_tuning")["pocket-dit"]["object"]
    kept = {name: figures for name, figures in own.items() if figures["background PSNR"].value >= 33}
    decoded = {name: figures for name, figures in kept.items() if "overlay" not in name}
    single = {name: figures for name, figures in decoded.items() if "draws" not in name}
    for name, tried in {"exchange": single, "averaged": decoded, "overlay": kept}.items():
        best = max(tried, key=lambda title: tried[title]["IoU with the true mask"].value)
        assert CHOSEN[name] == best


def test_overlaps_are_compared_clip_by_clip():
    """Of clips that both have, by hand, beside a clip that only one of them has."""
    edited = [row for row in load_rows("given_video") if row["setting"] == "edit" and row["kind"] == "object"]
    first, second = [row for row in edited if row["model"] == "pocket-dit"][:2]
    seeds = (first["seed"], second["seed"])
    about = dict.fromkeys(MEANS) | {"model": "pocket-dit", "kind": "object", "new seen": True, "old seen": False}
    rows = [about | {"setting": "exchange", "seed": seed, "iou": 0.1} for seed in (*seeds, -1)]
    rows += [about | {"setting": "overlay", "seed": seed, "iou": 0.4} for seed in seeds]
    table = GivenExchange().summary(rows)["pocket-dit"]["object"]
    assert table["overlay"]["IoU above exchange"].value == pytest.approx(0.3)
    above_edit = 0.4 - (first["iou"] + second["iou"]) / 2
    assert table["overlay"]["IoU above edit"].value == pytest.approx(above_edit)
    assert table["overlay"]["IoU above edit"].n == 2 and "IoU above exchange" not in table["exchange"]


# Measuring


def test_the_truth_is_a_perfect_edit_and_the_given_video_none():
    clip = some("object")[0]
    made = drawn(clip)
    row = measure_edit(clip, made, made.truth, made.video, "cpu")
    assert row["new seen"] and not row["old seen"] and row["iou"] > 0.8 and row["distance"] < 0.02
    assert row["psnr"] == row["truth psnr"] > 35 and row["ssim"] == row["truth ssim"] > 0.95
    assert row["autoencoder psnr"] == 60 and row["appearance"] < 0.05
    row = measure_edit(clip, made, made.video, made.truth, "cpu")
    assert row["old seen"] and not row["new seen"] and row["iou"] == 0 and np.isnan(row["appearance"])


def test_a_moved_object_is_measured_where_it_shall_be():
    clip = some("path")[0]
    made = drawn(clip)
    moved = measure_edit(clip, made, made.truth, made.video, "cpu")
    stayed = measure_edit(clip, made, made.video, made.video, "cpu")
    assert moved["iou"] > 0.8 > 0.5 > stayed["iou"] and stayed["old iou"] > 0.8 > 0.5 > moved["old iou"]
    assert stayed["distance"] == pytest.approx(0.3 / 2**0.5, abs=0.03) and moved["filled psnr"] > 40
    assert stayed["filled psnr"] < 25


def test_of_a_removed_object_only_its_absence_and_the_background_count():
    clip = some("removal")[0]
    made = drawn(clip)
    row = measure_edit(clip, made, made.truth, made.video, "cpu")
    assert not row["old seen"] and row["iou"] is None and row["filled psnr"] == 60 and row["psnr"] > 30
    assert measure_edit(clip, made, made.video, made.video, "cpu")["old seen"]


def test_each_case_is_edited_with_its_setting(monkeypatch):
    study, asked = GivenVideo(smoke=True), []

    def edit_video(model, video, source, target, seed, **knobs):
        asked.append((source, target, seed, knobs))
        return Clip(video, torch.zeros(4, 16, 4, 4), target, seed)

    monkeypatch.setattr(given_video, "edit_video", edit_video)
    monkeypatch.setattr(GivenVideo, "model", lambda study, name: tiny())
    monkeypatch.setattr(GivenVideo, "painter", type("Drawer", (), {"draw": staticmethod(drawn)}))
    black = torch.zeros(1, 16, 128, 128, 3, dtype=torch.uint8)
    monkeypatch.setattr(type(tiny()), "decode", lambda model, latents: black)
    case = {"model": "pocket", "kind": "object", "setting": "no mask", "clip": 1, "seed": 7}
    (row,) = study.measure([case])
    clip = study.clip(case)
    ((source, target, seed, knobs),) = asked
    assert (source, target, seed) == (clip.source.caption, clip.target_prompt, 7)
    (bias,) = knobs.pop("edits")
    assert isinstance(bias, Bias) and bias.word == clip.new_word, "held where the old object was"
    assert knobs == {"steps": 2, "check_prompt": False, "progress": False, "keep_background": False}
    assert row["psnr"] == 60 and row["old seen"] and row["word"] == clip.word and row["autoencoder psnr"] < 30


# The table


def row(**changes):
    values = dict.fromkeys(MEANS, 0.5) | {"old seen": False, "new seen": True, "distance": 0.05, "psnr": 33.0}
    return {"model": "pocket-dit", "kind": "object", "setting": "edit"} | values | changes


def test_figures_by_hand():
    lost = row(**{"new seen": False, "distance": None})
    rows = [row(), lost, row(**{"old seen": True, "distance": 0.2, "psnr": 36.0})]
    table = figures(rows, "object")
    values = {name: (figure.value, figure.n) for name, figure in table.items()}
    assert values["new object seen"] == (pytest.approx(2 / 3), 3) and values["path kept"] == (pytest.approx(1 / 3), 3)
    assert values["old object gone"] == (pytest.approx(2 / 3), 3) and values["background PSNR"] == (34.0, 3)
    assert values["distance from the true path"] == (pytest.approx(0.125), 2)
    assert "old object gone" not in figures(rows, "size") and "new object seen" not in figures(rows, "removal")


def test_the_table_has_models_kinds_and_settings():
    rows = [row(), row(kind="removal", **{"new seen": None, "iou": None}), row(setting="plain"), row(model="pocket")]
    table = summary(rows)
    assert {model: list(kinds) for model, kinds in table.items()} == {
        "pocket-dit": ["object", "removal"], "pocket": ["object"]
    }  # fmt: skip
    assert list(table["pocket-dit"]["object"]) == ["edit", "plain"]
    assert "IoU with the true mask" not in table["pocket-dit"]["removal"]["edit"]
    lines = markdown(table).splitlines()
    assert lines[2].startswith("| pocket-dit | new object seen | ≥ 0.95 | 1.000 (")
    settings = [line for line in lines if line.startswith(("| pocket-dit | object | edit", "| pocket-dit | removal"))]
    assert [line.count("dB") for line in lines[-3:]] == [2, 0, 2] and "`pocket`" in lines[-1]
    assert [line.split(" | ")[2] for line in settings] == ["edit", "edit"]
