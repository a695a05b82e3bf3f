"""The stored measurements as README and model card show them."""

from benchmarks import full_size, guidance_cost, guidance_table, model_card, resize


def test_readme_and_card_show_the_stored_tables():
    """After a measurement, `python -m benchmarks model_card` must have been run."""
    readme, card = (file.read_text() for file in (model_card.README, model_card.CARD))
    costs = guidance_cost.stored(), guidance_cost.stored("always")
    for table in (model_card.quality_table(), guidance_table.landmarks(), *costs, full_size.stored(), resize.stored()):
        assert table in readme
    for table in (model_card.quality_table(), model_card.motions_table(), model_card.speed_table()):
        assert table in card


def test_tables_go_between_their_comments(tmp_path, monkeypatch):
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- one -->\nold\n<!-- /one -->\nb\n<!-- two --><!-- /two -->\n")
    monkeypatch.setattr(model_card, "README", readme)
    model_card.fill_readme({"one": "new \\1", "two": "2"})
    assert readme.read_text() == "a\n<!-- one -->\nnew \\1\n<!-- /one -->\nb\n<!-- two -->\n2\n<!-- /two -->\n"
