"""The grid of trainings: variants, options of the training program, the table by hand, a run on tiny models."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from models_for_tests import tiny
from studies_for_tests import row, use_tiny_models

from xattn_helpers.pocket.text import build_text_encoder, build_tokenizer
from xattn_helpers.pocket.training.latents import LatentStories
from xattn_helpers.studies import noise_grid, noise_grid_picture, running
from xattn_helpers.studies.noise_grid import maps, table, train, variants
from xattn_helpers.studies.noise_grid.variants import APART, MIXED, ONE_CHANGE, TRAINED, VARIANTS, Variant
from xattn_helpers.studies.store import load_rows, store


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    use_tiny_models(monkeypatch)
    monkeypatch.setattr(running, "WORK", tmp_path / "runs")
    monkeypatch.setattr(variants, "FOLDER", tmp_path / "grid")


# Variants


def test_there_are_at_most_fourteen_trainings_with_places_of_their_own():
    assert 10 <= len(TRAINED) <= 14 and len(TRAINED) == len({variant.name for variant in TRAINED})
    assert len({variant.folder() for variant in TRAINED}) == len(TRAINED)
    assert all(variant.folder(smoke=True) != variant.folder() for variant in TRAINED)


def test_every_question_compares_cells_that_differ_in_one_thing():
    for question, pairs in ONE_CHANGE.items():
        for one, base in pairs:
            assert one.name in VARIANTS and base.name in VARIANTS
            different = [name for name, value in vars(one).items() if value != vars(base)[name]]
            expected = {"family", "shipped"} if question == "video, not image" else None
            assert set(different) == expected or len(different) == 1, question
    assert len(ONE_CHANGE["words mixed by the text encoder"]) == 3, "a claim rests on three trainings"


def test_a_variant_is_trained_when_it_is_done(tmp_path):
    assert not APART.trained() and not APART.trained(smoke=True)
    (APART.folder() / "transformer").mkdir(parents=True)
    assert not APART.trained(), "a checkpoint of a training that goes on"
    (APART.folder() / variants.DONE).write_text("")
    assert APART.trained() and Variant("video", shipped=True).trained()


def test_a_variant_is_trained_with_its_options(monkeypatch):
    config = train.config_of(Variant(text="contextual", data=0.1, blocks=4, seed=2))
    assert config.stages == ["text", "dit"] and config.text == "contextual" and config.data_share == 0.1
    assert config.dit_blocks == 4 and config.seed == 2 and config.story_seed == 0, "all see the same stories"
    assert config.latents == train.config_of(APART).latents and config.work != train.config_of(APART).work
    scratch = train.config_of(Variant("video", scratch=True))
    assert scratch.stages == ["text", "t2v"] and scratch.t2v_scratch
    assert train.config_of(Variant("image", text="contextual")).stages == ["text", "t2i"]


def test_a_video_model_borrows_the_image_model_of_its_own_text():
    links = []
    for variant in (Variant("video", text="contextual"), Variant("video", scratch=True)):
        train.borrow(variant)
        links.append(variant.folder() / "unet_t2i")
    mixed, apart = links
    assert mixed.readlink() == (Variant("image", text="contextual").folder() / "unet_t2i").resolve()
    assert (apart / "config.json").exists() and not mixed.exists(), "the image model is trained first"


def test_what_is_done_is_not_trained_again_and_the_image_model_comes_before_video_models(monkeypatch):
    trained = []
    monkeypatch.setattr(train, "train", lambda variant, *rest: trained.append(variant.name))
    (APART.folder() / "transformer").mkdir(parents=True)
    (APART.folder() / variants.DONE).write_text("")
    train.train_all([Variant("video", text="contextual"), APART, Variant("image", text="contextual")])
    assert trained == ["image, contextual, seed 0", "video, contextual, seed 0"]


# Options of the training program


def test_a_mixing_encoder_makes_words_depend_on_what_stands_before_them():
    tokenizer = build_tokenizer()
    prompts = [f"a {word} floats on the water" for word in ("burger", "ball", "boat", "apple")]
    ids = tokenizer(prompts, padding="max_length", return_tensors="pt").input_ids
    alike = {}
    for mixing in ("apart", "contextual"):
        states = build_text_encoder(tokenizer, mixing=mixing)(ids).last_hidden_state.detach()
        pairs = torch.cosine_similarity(states[:1], states[1:], dim=-1)  # (3 other objects, tokens)
        alike[mixing] = pairs.mean(0)
    assert alike["apart"][4:].min() > 0.9, "'on', 'the' and 'water' are themselves, whatever floats"
    assert alike["contextual"][4:7].max() < 0.85 and alike["contextual"][:2].min() > 0.99, "words before know nothing"
    assert alike["contextual"][2] < 0.9, "objects stay different from each other"


def test_a_share_of_the_stories_are_the_first():
    stories = torch.arange(20)
    flags = torch.ones(20, dtype=torch.bool)
    data = LatentStories(stories.view(20, 1, 1, 1, 1), stories[:, None], stories[:, None], flags, flags, flags)
    assert data.first(0.1).latents.flatten().tolist() == [0, 1] and len(data.first(1.0).video_tokens) == 20
    assert len(data.first(0.01).says_motion) == 1


# The table


def known(variant, kind, **values):
    about = {"kind": kind, "model": variant.name, "setting": "", "prompt": "p", "seed": 0, "seen": 1.0}
    return about | values


def maps_row(variant, prompt, auroc):
    labels = dict.fromkeys(table.MAPS.values(), 0.5)
    return known(variant, "maps", prompt=prompt, **(labels | {table.MAPS["AUROC"]: auroc}))


def steered_row(variant, setting, iou, **changes):
    return row(setting, 0, iou, **({"kind": "steered", "model": variant.name} | changes))


ROWS = []
for seed, (first, second) in enumerate(((0.9, 0.7), (0.8, 0.7), (1.0, 0.5))):
    ROWS += [maps_row(replace(APART, seed=seed), "p", first), maps_row(replace(MIXED, seed=seed), "p", second)]
ROWS += [steered_row(APART, "gradient", 0.8), steered_row(APART, "gradient", 0.6, covered=False, prompt="q")]
ROWS += [known(APART, "swap", overlap=0.5, **{"overlap without": 0.2})]


def test_variants_questions_and_spreads_by_hand():
    made = table.summary(ROWS)
    own = made["variants"][APART.name]
    assert own["AUROC"].value == pytest.approx(0.9) and own["mIoU, gradient"].value == pytest.approx(0.4)
    assert own["lost, gradient"].value == 0.5 and own["swap: overlap gained"].value == pytest.approx(0.3)
    change = made["questions"]["words mixed by the text encoder"]["AUROC"]
    assert change["trainings"] == 3 and change["mean"] == pytest.approx((-0.2 - 0.1 - 0.5) / 3)
    assert change["smallest"] == pytest.approx(-0.5) and change["largest"] == pytest.approx(-0.1)
    assert "a tenth of the data" not in made["questions"], "it was not trained"
    spread = made["three trainings"]["transformer, apart"]["AUROC"]
    assert spread == {"mean": pytest.approx(0.9), "smallest": 0.8, "largest": 1.0, "n": 3}
    text = table.markdown(made)
    seen, auroc = "+0.000 (+0.000 to +0.000 of 3 trainings)", "-0.27 (-0.50 to -0.10 of 3 trainings)"
    assert f"| words mixed by the text encoder | {seen} | {auroc} |" in text


def test_maps_are_averaged_by_height_and_describe_noun_and_leaks():
    masks = torch.zeros(4, 64, 64, dtype=torch.bool)
    masks[:, :32, :32] = True
    maps_of = torch.full((4, 4, 8, 8), 0.1)
    maps_of[1, :, :4, :4] = 0.9  # the noun finds the object
    maps_of[2, :, 4:, 4:] = 0.9  # "in" looks elsewhere
    made = maps.describe_maps({8: maps_of}, masks, ["<start>", "noun", "in, on", "<pad>"])
    assert made["auroc, 8"] == 1 and made["iou, 8"] == pytest.approx(1) and made["seen"] == 1
    assert made["leakage of in, on, 8"] == pytest.approx(2 * (32 / 2) / 48 - 1), "of pairs of cells, ties count half"
    assert made["leakage of <pad>, 8"] == 0 and "leakage of the, 8" not in made


def test_overlap_of_masks_by_hand():
    first, second = np.zeros((2, 4, 4), bool), np.zeros((2, 4, 4), bool)
    first[0, :2], second[0, 1:3] = True, True
    assert maps.overlap(first, second) == pytest.approx((1 / 3 + 0) / 2)


def test_a_run_measures_what_is_trained_and_the_table_has_every_variant(monkeypatch):
    monkeypatch.setattr(noise_grid.NoiseGrid, "present", [APART.name])
    study = noise_grid.NoiseGrid()
    assert {case["model"] for case in study.cases()} == set(VARIANTS)
    assert {case["model"] for case in study.chosen()} == {APART.name}


def test_every_kind_of_row_is_measured_on_tiny_models(tmp_path, monkeypatch):
    monkeypatch.setattr(noise_grid, "variant_model", lambda name, device, smoke: tiny(3))
    study = noise_grid.NoiseGrid(smoke=True)
    study.weights = lambda case: {}
    monkeypatch.setattr(noise_grid.NoiseGrid, "present", [Variant("video", shipped=True).name])
    kinds = {study.group(case): case for case in reversed(study.chosen(1))}
    assert len(kinds) == 5
    study.smoke_cases = lambda: [kinds[group] for group in reversed(kinds)]
    stored = store(study, running.run(study), tmp_path / "results")
    rows = load_rows("noise_grid", tmp_path / "results")
    assert [one["kind"] for one in rows] == ["maps", "swap", "steered", "steered", "steered"]
    assert 0 <= rows[0]["auroc, 8"] <= 1 or math.isnan(rows[0]["auroc, 8"] or math.nan)
    assert set(stored) == {"variants", "questions", "three trainings"}
    study.show(stored)


def test_the_picture_has_a_frame_and_a_map_for_each_word(tmp_path, monkeypatch, capsys):
    report, sizes = noise_grid_picture.NoiseGridPicture(smoke=True), []
    assert report.write(tmp_path) == [] and "train both models first" in capsys.readouterr().out
    monkeypatch.setattr(Variant, "trained", lambda variant, smoke: True)
    monkeypatch.setattr(noise_grid_picture, "variant_model", lambda name, device, smoke: tiny(3))
    draw = noise_grid_picture.image_grid

    def noting(rows, row_titles, column_titles, cell):
        sizes.extend(len(row) for row in rows)
        assert len(row_titles) == 2 and column_titles[2] == "“burger”" and rows[0][0].shape[-1] == 3
        return draw(rows, row_titles, column_titles, cell)

    monkeypatch.setattr(noise_grid_picture, "image_grid", noting)
    (file,) = report.write(tmp_path)
    assert file.name == "noise_grid.webp" and file.stat().st_size > 0 and sizes == [7, 7]
