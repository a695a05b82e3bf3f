"""The measurement of what guidance costs at full size, with a tiny network on the CPU."""

from types import SimpleNamespace

import pytest
import torch
from diffusers.models.attention_processor import AttnProcessor

from xattn_helpers.backbones import published
from xattn_helpers.edits.steps import LAWS
from xattn_helpers.studies import full_size, full_size_released, full_size_steps, running
from xattn_helpers.studies.full_size import FullSize
from xattn_helpers.studies.full_size_released import GRAPHS, ReleasedSteps, kinds
from xattn_helpers.studies.full_size_steps import UNGUIDED, Steps, build


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "WORK", tmp_path)


@pytest.fixture(scope="module")
def steps():
    return ReleasedSteps(build("modelscope", "cpu", "float32", small=True), (2, 8, 8))


def test_the_smoke_run_measures_every_kind():
    study = FullSize(smoke=True)
    records = running.run(study)
    assert [record["case"]["kind"] for record in records] == [*kinds("cpu"), *2 * Steps.kinds]
    assert all(record["measured"]["ms"] > 0 and record["measured"]["failed"] == "" for record in records)
    table = study.summary([record["case"] | record["measured"] for record in records])
    figures = table["clips"]["ModelScope, 2 frames, 64 x 64"]
    assert list(figures) == list(kinds("cpu")) and figures[UNGUIDED]["over unguided"] == 1
    assert list(table["clips"]["Wan 2.1 1.3B, 5 frames, 64 x 96"]) == list(Steps.kinds)
    assert {record["source"]["precision"] for record in records} == {"float32"}
    assert len(table["parameters"]) == 3


def test_rows_tell_the_precision_of_their_network():
    study = FullSize()
    for case in study.cases():
        expected = "float16" if case["model"] == "modelscope" else "bfloat16"
        assert study.source(case).precision == expected and study.depends(case) == expected


def test_the_table_has_medians_their_range_and_the_ratio():
    rows = []
    for kind, times in ((UNGUIDED, (2.0, 4.0, 3.0)), ("guided step", (9.0, 6.0, 12.0))):
        for time in times:
            about = {"model": "modelscope", "frames": 16, "height": 256, "width": 320, "kind": kind}
            about |= {"parameters": 7, "failed": ""}
            rows.append(about | {"ms": time, "peak GiB": 5.25})
    rows.append(rows[0] | {"kind": "released", "failed": "out of memory", "ms": None})
    table = FullSize().summary(rows)
    figures = table["clips"]["ModelScope, 16 frames, 256 x 320"]
    expected = {"ms": 9.0, "shortest": 6.0, "longest": 12.0, "n": 3, "peak GiB": 5.25, "over unguided": 3.0}
    assert figures["guided step"] == expected and figures["released"] == {"failed": "out of memory"}
    assert table["parameters"] == {"modelscope": 7}
    lines = FullSize().markdown(table).splitlines()
    assert lines[3] == "| guided step | 9 ms, 3.00 ×, 5.2 GiB |" and lines[4] == "| released | out of memory |"


def test_what_does_not_fit_is_a_row_too(monkeypatch):
    def too_large(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    study = FullSize(smoke=True)
    monkeypatch.setattr(full_size, "time_step", too_large)
    rows = study.measure(study.smoke_cases()[:1])
    assert rows[0]["failed"] == "out of memory" and "ms" not in rows[0]


def test_graphs_are_measured_on_a_gpu_only():
    assert set(kinds("cuda")) - set(kinds("cpu")) == set(GRAPHS)
    assert len(FullSize().cases()) == 2 * 9 * 7 + 3 * 8 * 3


def test_memory_that_graphs_reserve_counts(monkeypatch):
    pools = [{"total_size": 5, "segment_pool_id": (0, 0)}, {"total_size": 3, "segment_pool_id": (0, 1)}]
    monkeypatch.setattr(torch.cuda, "memory_snapshot", lambda: pools)
    assert full_size.reserved_by_graphs() == 3


def test_the_full_network_has_the_published_size():
    model = published.build("modelscope", device="meta", dtype="float16")
    assert sum(weight.numel() for weight in model.network.parameters()) == pytest.approx(1.41e9, rel=0.01)
    assert model.network.config.block_out_channels == (320, 640, 1280, 1280) and model.dtype == torch.float16
    assert model.backbone.text_width == 1024
    assert torch.get_default_dtype() == torch.float32
    with pytest.raises(ValueError, match="name='zeroscope': possible are 'modelscope'"):
        published.build("zeroscope")


def test_a_small_network_has_the_same_sites():
    small, full = (published.build(device="meta", small=small) for small in (True, False))
    groups = [{(site.group, model.backbone.cells(site)) for site in model.sites} for model in (small, full)]
    assert groups[0] == groups[1]


def test_the_released_way_keeps_every_layer_and_gives_the_same_prediction(steps):
    network, maps = steps.model.network, {}
    own = dict(network.attn_processors)  # setting a dictionary empties it
    plain = steps.model.predict(steps.latents, 500, steps.text)
    network.set_attn_processor(full_size_released.explicit_processors(network, maps))
    try:
        explicit = steps.model.predict(steps.latents, 500, steps.text)
    finally:
        network.set_attn_processor(dict(own))
    torch.testing.assert_close(explicit, plain, atol=1e-4, rtol=1e-4)
    assert set(maps) == set(own)
    assert all(torch.allclose(layer.sum(-1), torch.ones(())) for layer in maps.values())
    steps.released()
    assert network.attn_processors == own and not any(type(p) is AttnProcessor for p in own.values())


def test_the_released_energy_is_of_the_words_maps_at_two_sizes(steps):
    rows = steps.latents.shape[-1]
    half, quarter, whole = ((rows // cells) ** 2 for cells in (2, 4, 1))
    word = torch.zeros(1, half, full_size_steps.TOKENS)
    word[..., full_size_steps.POSITION] = 2.0
    maps = {"a": word, "b": word[:, :quarter] / 2, "of all pixels": torch.ones(1, whole, full_size_steps.TOKENS)}
    assert float(steps._energy(maps | {"temporal": torch.ones(1, half, 2)})) == 4 + 1


@pytest.mark.parametrize("memory", ["spend", "save"])
def test_ours_guides_the_word(steps, memory):
    with steps.gradient(memory=memory, strength=0.1, law="equal") as update:
        changes = [update() - steps.latents for _ in range(2)]
    length = 0.1 * LAWS["equal"](steps.model.noise.level(full_size_steps.TIMESTEP))
    assert float(changes[0].square().mean().sqrt()) == pytest.approx(length, rel=1e-3)
    torch.testing.assert_close(changes[1], changes[0], atol=1e-5, rtol=1e-3)


def test_milliseconds_on_a_gpu_are_between_two_events(monkeypatch):
    order = []

    class Event:
        def __init__(self, enable_timing):
            self.name = f"event {len(order)}"

        def record(self):
            order.append("record")

        def elapsed_time(self, end):
            return 5.0

    monkeypatch.setattr(torch, "cuda", SimpleNamespace(Event=Event, synchronize=lambda: order.append("wait")))
    assert full_size.milliseconds_on_gpu(lambda: order.append("step")) == 5.0
    assert order == ["record", "step", "record", "wait"]


@pytest.mark.parametrize(("name", "billions", "channels", "blocks"), [("wan", 1.419, 16, 30), ("ltx", 1.923, 128, 28)])
def test_transformers_have_the_published_sizes(name, billions, channels, blocks):
    full, small = (published.build(name, device="meta", dtype="bfloat16", small=small) for small in (False, True))
    weights = sum(parameter.numel() for parameter in full.network.parameters())
    assert weights == pytest.approx(billions * 1e9, rel=1e-3) and full.backbone.text_width == 4096
    assert full.backbone.channels == small.backbone.channels == channels and len(full.sites) == blocks
    assert full.groups == small.groups and full.cells() == small.cells() and full.noise.is_flow
    assert full.noise.solver(4, places=4096).level(0).sigma == pytest.approx(1, abs=1e-5)
