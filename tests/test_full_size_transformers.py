"""The steps of video transformers that `full_size` measures, with tiny networks on the CPU, and their picture."""

import pytest
import torch
from PIL import Image

from xattn_helpers import capture
from xattn_helpers.backbones import published
from xattn_helpers.backbones.backbone import LISTENERS
from xattn_helpers.studies import full_size_picture
from xattn_helpers.studies.full_size import VIDEOS, FullSize, steps_of
from xattn_helpers.studies.full_size_picture import FILE, WAYS, label_of, transformer_clips
from xattn_helpers.studies.full_size_steps import (
    EXPLICIT,
    OURS,
    POSITION,
    PROMPT,
    RECORDING,
    UNGUIDED,
    WORD,
    Steps,
    build,
)

SIZES = {"wan": (2, 8, 12), "ltx": (2, 4, 6)}
CLIP, OTHER = "A, 9 frames, 8 x 8", "B, 5 frames, 8 x 8"


@pytest.fixture(scope="module", params=["wan", "ltx"])
def steps(request):
    return Steps(build(request.param, "cpu", "float32", small=True), SIZES[request.param])


def test_clips_have_the_latents_of_the_published_pipelines():
    latents = [published.latent_size(*clip) for clip in VIDEOS]
    assert latents == [(16, 32, 32), (24, 40, 40), (13, 60, 104), (21, 60, 104), (21, 16, 22)]


@pytest.mark.parametrize(("name", "tokens"), [("wan", 512), ("ltx", 128)])
def test_texts_are_as_long_as_in_the_published_pipelines(name, tokens):
    model = build(name, "cpu", "float32", small=True)
    steps = steps_of(model, {"model": name, "frames": 9, "height": 128, "width": 128})
    assert steps.text.states.shape[1] == steps.negative.states.shape[1] == tokens
    assert steps.model.text.find(PROMPT, WORD) == [POSITION]


def test_one_network_is_there_at_a_time():
    study = FullSize(smoke=True)
    cases = study.smoke_cases()
    first, last = study.network(cases[0]), study.network(cases[-1])
    assert study.network(cases[-1]) is last and study.network(cases[0]) is not first


def test_recording_keeps_a_word_of_each_step_at_each_site(steps):
    with steps.recording() as action:
        (entry,) = LISTENERS.get()
        for _ in range(3):
            action()
        run = entry.listener.run
    assert [step.index for step in run.steps] == [0, 1, 2]
    for site in steps.model.sites:
        assert run.probabilities(site, step=2).shape[-1] == 1


def test_the_explicit_way_differentiates_every_site(steps):
    gradient = steps.explicit_gradient()
    with capture(steps.model, words=WORD, heads=True, gradients=True) as attention, torch.enable_grad():
        moving = steps.latents.clone().requires_grad_(True)
        steps.model.predict(moving, 500, steps.text, call=steps.run.call(0))
        energies = [attention.probabilities(site).square().mean() for site in steps.model.sites]
        (expected,) = torch.autograd.grad(torch.stack(energies).sum(), moving)
    torch.testing.assert_close(gradient, expected, atol=1e-7, rtol=1e-3)
    assert gradient.abs().amax((0, 1, 3, 4)).min() > 0, "every frame has a gradient"


def test_ours_stops_after_the_early_blocks_and_moves_every_frame(steps):
    blocks = steps.model.backbone.stages()
    seen = []
    handles = [block.register_forward_hook(lambda *_: seen.append(1)) for block in blocks]
    try:
        with steps.gradient(groups="early", memory="spend") as update:
            moved = update()
    finally:
        for handle in handles:
            handle.remove()
    assert len(seen) < len(blocks) / 3, "the last needed block is left before its end"
    assert (moved - steps.latents).abs().amax((0, 1, 3, 4)).min() > 0


def table():
    figures = {"ms": 2.0, "peak GiB": 4.25, "over unguided": 1.0}
    steps = {kind: figures | {"over unguided": 1.75} for kind in (RECORDING, OURS)}
    clip = {UNGUIDED: figures, **steps, EXPLICIT: {"failed": "out of memory"}}
    return {"parameters": {}, "clips": {"a clip of a network without these kinds": {UNGUIDED: figures}, CLIP: clip}}


def test_clips_of_equal_kinds_share_a_table():
    clips = table()
    clips["clips"][OTHER] = clips["clips"][CLIP]
    first, second = FullSize().markdown(clips).split("\n\n")
    assert first.splitlines()[0].count("|") == 3
    assert second.splitlines()[0] == f"| one step | {CLIP} | {OTHER} |"
    assert second.splitlines()[-1] == f"| {EXPLICIT} | out of memory | out of memory |"


def test_the_picture_shows_clips_that_were_measured_in_every_way(tmp_path, monkeypatch):
    clips = transformer_clips(table())
    assert list(clips) == [CLIP]
    assert [label_of(clips[CLIP][kind]) for kind in WAYS] == ["4.2 GiB", *2 * ["4.2 GiB\n1.8 ×"], "out\nof\nmemory"]
    monkeypatch.setattr(full_size_picture, "load_table", lambda *_: table())
    monkeypatch.setattr(full_size_picture, "RESULTS", tmp_path / "results")
    assert "Not drawn yet" in full_size_picture.shown(tmp_path)
    (file,) = full_size_picture.FullSizePicture().write()
    assert file.name == FILE and Image.open(file).width > 700
    assert full_size_picture.shown(tmp_path).endswith(f"(results/{FILE})")
