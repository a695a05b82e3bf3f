"""The stored measurements as README and model card show them."""

import numpy as np
import pytest
from dit_for_tests import use_dit
from models_for_tests import tiny

from xattn_helpers.studies import card_pictures, model_card, store
from xattn_helpers.studies.model_card import ModelCard


def is_measured(*names):
    """Whether tables are stored in today's form."""
    try:
        return not any("earlier" in store.load_json(name) for name in names)
    except (FileNotFoundError, ValueError):
        return False


SHOWN = [
    "pocket_quality", "sharpness", "detector_quality", "guidance", "resize", "full_size", "real_size", "guidance_cost",
    "pocket_speed",
]  # fmt: skip
if "pocket-dit" in ModelCard().present:
    SHOWN.append("dit_maps")


@pytest.mark.skipif(not is_measured(*SHOWN), reason="not all tables are measured")
def test_readme_results_and_card_show_the_stored_tables():
    """After a measurement, `python -m xattn_helpers.studies model_card` must have been run."""
    for file, sections in model_card.pages().items():
        text = file.read_text()
        assert model_card.fill(text, ModelCard().texts(sections), closed=True) == text
    card = model_card.CARD.read_text()
    template = model_card.TEMPLATE.read_text()
    assert model_card.fill(template, ModelCard().texts(model_card.card_sections()), closed=False) == card


def test_tables_go_between_their_comments():
    text = "a\n<!-- first -->\nold\n<!-- /first -->\nb\n<!-- second --><!-- /second -->\n"
    filled = model_card.fill(text, {"first": "new \\1", "second": "2"}, closed=True)
    assert filled == (
        "a\n<!-- first -->\nnew \\1\n<!-- /first -->\nb\n<!-- second -->\n2\n<!-- /second -->\n"
    )
    assert model_card.fill(filled, {"first": "new \\1", "second": "2"}, closed=True) == filled


def test_tables_go_instead_of_their_comments():
    assert model_card.fill("a\n<!-- first -->\nb", {"first": "1"}, closed=False) == "a\n1\nb"
    with pytest.raises(ValueError, match="0 places for 'second'"):
        model_card.fill("a", {"second": "1"}, closed=False)


def test_every_section_has_its_place():
    template = model_card.TEMPLATE.read_text()
    for file, sections in model_card.pages().items():
        for name in sections:
            assert file.read_text().count(f"<!-- {name} -->") == file.read_text().count(f"<!-- /{name} -->") == 1
    for name in model_card.card_sections():
        assert template.count(f"<!-- {name} -->") == 1


def test_the_card_tells_of_the_transformer_once_it_has_weights(tmp_path, monkeypatch):
    use_dit(monkeypatch, tmp_path)
    assert model_card.transformer_section() == (
        '`load("pocket-dit")` is a video transformer; pocket-dit has no weights yet '
        "(`python -m xattn_helpers.pocket.training --stages dit` trains them)."
    )
    assert ModelCard().present == ["pocket-t2i", "pocket"]
    (tmp_path / "transformer").mkdir()
    monkeypatch.setattr(model_card, "section", lambda name: f"[{name}]")
    text = model_card.transformer_section()
    assert "docs/pocket-dit.webp" in text and text.endswith("[dit_maps]") and "<!--" not in text
    assert ModelCard().present == ["pocket-t2i", "pocket", "pocket-dit"]


def test_every_model_has_a_sheet_and_the_moving_picture_is_of_one(tmp_path, monkeypatch):
    drawn = []
    use_dit(monkeypatch, tmp_path)
    (tmp_path / "transformer").mkdir()
    monkeypatch.setattr(model_card, "load", lambda name: name)
    for draw in ("draw_sheet", "draw_hero"):
        monkeypatch.setattr(model_card, draw, lambda model, prompts, file, steps: drawn.append((model, file.name)))
    monkeypatch.setattr(model_card, "draw_curves", lambda notes, file: file)
    ModelCard().draw(tmp_path)
    assert drawn == [
        ("pocket-t2i", "pocket-t2i.webp"), ("pocket", "pocket.webp"), ("pocket", "hero.webp"),
        ("pocket-dit", "pocket-dit.webp"),
    ]  # fmt: skip


def test_a_missing_table_is_an_error_except_in_a_smoke_run(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "RESULTS", tmp_path)
    sections = {"source": model_card.card_sections()["source"]}
    with pytest.raises(FileNotFoundError, match="studies pocket_quality` measures it"):
        ModelCard().texts(sections)
    assert "does not exist" in ModelCard(smoke=True).texts(sections)["source"]


def test_a_smoke_run_writes_into_a_folder_of_its_own(tmp_path, monkeypatch):
    card, readme = model_card.CARD.read_text(), model_card.README.read_text()
    monkeypatch.setattr(model_card, "WORK", tmp_path)
    monkeypatch.setattr(ModelCard, "draw", lambda self, folder: [])
    files, names = ModelCard(smoke=True).write(), ("MODEL_CARD.md", "RESULTS.md", "NOISE.md", "README.md")
    assert files == [tmp_path / "smoke" / "model_card" / name for name in names]
    assert all(file.exists() for file in files)
    assert (model_card.CARD.read_text(), model_card.README.read_text()) == (card, readme)


def test_training_runs_are_told_the_first_one_first():
    note = {"name": 3, "before": [{"name": 2, "before": [{"name": 1}]}]}
    assert [run["name"] for run in card_pictures.training_runs(note)] == [1, 2, 3]
    lines = model_card.training_table().splitlines()
    assert lines[2].startswith("| autoencoder | ") and any("text to video, continued" in line for line in lines)


def test_pictures_are_drawn_of_every_prompt(tmp_path, monkeypatch):
    made = []

    def generate(model, prompt, seed, steps, progress):
        made.append((prompt, seed, steps))
        clip = type("Clip", (), {"video": np.zeros((2, 128, 128, 3), np.uint8)})
        return [clip for _ in prompt] if isinstance(prompt, list) else clip

    monkeypatch.setattr(card_pictures, "generate", generate)
    assert card_pictures.draw_hero(None, card_pictures.PROMPTS, tmp_path / "hero.webp", 3).exists()
    assert made == [(prompt, 0, 3) for prompt in card_pictures.PROMPTS[:6]]
    made.clear()
    model = tiny()
    sheet = card_pictures.draw_sheet(model, card_pictures.PROMPTS[:2], tmp_path / "sheet.webp", 2)
    assert model.is_video and sheet.exists() and [seed for _, seed, _ in made] == [(0,)] * 2
    notes = {name: {"curve": [[1, 0.5], [2, 0.25]], "plan": {"steps": 2}} for name in card_pictures.NETWORKS}
    assert card_pictures.draw_curves(notes, tmp_path / "curves.png").stat().st_size > 1000
