"""The measurement of what guidance costs, with a tiny network on the CPU."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from diffusers.models.attention_processor import AttnProcessor

from benchmarks import __main__ as command
from benchmarks import full_size, runner
from benchmarks.full_size_steps import BOTH, FULL, GRAPH, SMOKE, Steps, build, probabilities

KINDS = {
    "unguided step", "gradient pass", "guided step", "guided step, checkpoint_blocks", "guided step, place=down",
    "gradient pass, released code",
    "guided step, released code",
}  # fmt: skip


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "RESULTS", tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def steps():
    return Steps(build(SMOKE), SMOKE, *SMOKE.clips[0])


def test_the_smoke_run_measures_every_kind_and_stores_nothing(capsys, results):
    full_size.main(smoke=True)
    lines = capsys.readouterr().out.splitlines()
    assert {line.split(" | ")[1] for line in lines[1:]} == KINDS and not list(results.iterdir())


def test_without_a_gpu_the_full_size_says_so_and_stores_nothing(capsys, results, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("sys.argv", ["benchmarks", "full_size"])
    command.main()
    assert "needs a CUDA GPU" in capsys.readouterr().out and not list(results.iterdir())


def test_the_table_is_stored_with_its_ratios(monkeypatch, results):
    monkeypatch.setattr(full_size, "FULL", replace(SMOKE, runs=1))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "some GPU")
    full_size.main()
    stored = json.loads((results / "full_size.json").read_text())
    rows = stored["table"]["3 frames, 128 x 128"]
    assert set(rows) == KINDS and rows["unguided step"]["over unguided"] == 1
    ratio = rows["guided step"]["ms"] / rows["unguided step"]["ms"]
    assert rows["guided step"]["over unguided"] == pytest.approx(ratio)
    assert stored["provenance"]["device"] == "some GPU" and stored["provenance"]["precision"] == "torch.float32"


def test_what_does_not_fit_is_a_row_too():
    def too_large():
        raise torch.OutOfMemoryError("CUDA out of memory")

    assert full_size.measure(lambda: too_large, 3, "cpu") == {"failed": "out of memory"}


def test_graphs_are_measured_on_a_gpu_only(steps):
    latents = SimpleNamespace(device=torch.device("cuda"))
    on_gpu = Steps.kinds(SimpleNamespace(latents=latents, guidance=None, guided=None))
    assert set(steps.kinds()) == KINDS and set(on_gpu) - KINDS == {GRAPH, BOTH}


def test_memory_that_graphs_reserve_counts(monkeypatch):
    pools = [{"total_size": 5, "segment_pool_id": (0, 0)}, {"total_size": 3, "segment_pool_id": (0, 1)}]
    monkeypatch.setattr(torch.cuda, "memory_snapshot", lambda: pools)
    assert full_size.reserved_by_graphs() == 3


def test_the_full_network_has_modelscopes_layout():
    with torch.device("meta"):
        unet = build(replace(FULL, device="meta")).unet
    assert sum(one.numel() for one in unet.parameters()) == pytest.approx(1.41e9, rel=0.01)
    assert unet.config.block_out_channels == (320, 640, 1280, 1280) and unet.dtype == torch.float16
    assert FULL.clips == ((16, 256), (24, 320))


def test_the_released_way_keeps_every_layer_and_gives_the_same_noise(steps):
    unet, kept = steps.network.unet, {}
    before, names = dict(unet.attn_processors), set(unet.attn_processors)  # setting a dictionary empties it
    plain = steps.network.predict_noise(steps.latents, 500, steps.text)
    unet.set_attn_processor(probabilities(steps.network, kept))
    try:
        explicit = steps.network.predict_noise(steps.latents, 500, steps.text)
    finally:
        unet.set_attn_processor(before)
    torch.testing.assert_close(explicit, plain, atol=1e-4, rtol=1e-4)
    assert set(kept) == names and all(torch.allclose(one.sum(-1), torch.ones(())) for one in kept.values())
    steps.released()
    assert {type(one) for one in unet.attn_processors.values()} != {AttnProcessor}


@pytest.mark.parametrize("saving", [False, True])
def test_ours_guides_the_word_at_two_resolutions(steps, saving):
    assert steps.resolutions == (4, 8)
    update = steps.guidance(checkpoint_blocks=saving)
    changes = [update() - steps.latents for _ in range(2)]  # the second pass stops early
    assert changes[0].abs().max() > 0
    torch.testing.assert_close(changes[1], changes[0], atol=1e-6, rtol=1e-3)
