"""Studies: how they are found, which code their key depends on, and the command line."""

import ast
import sys

import pytest
import torch

from xattn_helpers.studies import __main__ as command
from xattn_helpers.studies import code, models, provenance, running, study
from xattn_helpers.studies.study import Report, Study

BOUND = 3
_CACHE = {}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "WORK", tmp_path / "work")
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    return tmp_path


def helper(value):
    """Words about it."""
    return value + BOUND  # a comment


def unused(value):
    return value


class Sums(Study):
    """Adds."""

    name, detects = "sums", False

    def cases(self):
        return [{"kind": "a", "seed": seed} for seed in range(3)]

    def models(self, case):
        return ()

    def measure(self, cases):
        _CACHE.clear()
        return [{"sum": self.add(case["seed"])} for case in cases]

    def add(self, seed):
        return helper(seed)

    def summary(self, rows):
        return {"total": sum(row["sum"] for row in rows)}


# Finding


def test_every_study_is_found_by_the_name_of_its_module():
    names = study.names()
    assert {"pocket_quality", "full_size", "model_card", "recording_cost"} <= set(names)
    assert "store" not in names and "sums" not in names
    for name in names:
        assert study.find(name).name == name and command.first_line(study.find(name)).endswith((".", "?"))


def test_an_unknown_name_is_an_error_that_lists_the_studies(capsys):
    with pytest.raises(ValueError, match=r"no study 'store'; there are .*pocket_quality"):
        study.find("store")
    with pytest.raises(SystemExit):
        command.main(["pocket_qualities"])
    assert "no study 'pocket_qualities'; there are" in capsys.readouterr().err


def test_a_study_registers_itself_by_being_in_the_package(monkeypatch):
    monkeypatch.setattr(study, "COMMANDS", {})
    module = {"__module__": "xattn_helpers.studies.waves.middle"}
    waves = type("Waves", (Study,), module)
    base = type("Base", (Study,), module | {"name": "base"}, abstract=True)
    assert study.COMMANDS == {"waves": waves} and waves.name == "waves" and base.name == "base"


def test_a_study_that_extends_another_does_not_take_its_name(monkeypatch):
    monkeypatch.setattr(study, "COMMANDS", {})
    waves = type("Waves", (Study,), {"__module__": f"{study.PACKAGE}.waves"})
    tides = type("Tides", (waves,), {"__module__": f"{study.PACKAGE}.tides"})
    assert study.COMMANDS == {"waves": waves, "tides": tides}


def test_listing_does_not_run_anything(monkeypatch, capsys):
    for name in study.names():
        listed = study.find(name)
        monkeypatch.setattr(listed, "measure" if issubclass(listed, Study) else "write", None)
    command.main(["--list"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(study.names()) and any(line.startswith("pocket_quality ") for line in lines)


# Keys


def key_with(monkeypatch, **changes):
    """The key of a case after changes to this module."""
    module = sys.modules[__name__]
    with monkeypatch.context() as patch:
        for name, value in changes.items():
            patch.setattr(module, name, value)
        return Sums().key({"kind": "a", "seed": 0})


def test_the_key_sees_functions_methods_and_constants_that_measure(monkeypatch):
    monkeypatch.setattr(code, "ROOMS", (__name__,))
    monkeypatch.setattr(code.reached, "__defaults__", ((__name__,),))
    sources = Sums().code
    names = {name.removeprefix(f"{__name__}.") for name in sources}
    assert names == {"Sums.measure", "Sums.add", "helper", "BOUND"}
    as_written = ast.parse("def helper(value):\n    return value + BOUND")
    assert sources[f"{__name__}.helper"] == code.structure(as_written)
    before = key_with(monkeypatch)
    assert key_with(monkeypatch, BOUND=4) != before
    assert key_with(monkeypatch, helper=unused) != before
    assert key_with(monkeypatch, unused=helper) == before


def test_the_key_depends_on_knobs_weights_precision_and_steps(monkeypatch):
    case = Sums().cases()[0]
    keys = {Sums().key(case), Sums(smoke=True).key(case)}
    changes = {"precision": "float16", "depends": lambda self, case: {"strength": 2}}
    changes["weights"] = lambda self, case: {"pocket": "abc"}
    for name, value in changes.items():
        keys.add(type("Changed", (Sums,), {name: value, "__module__": __name__})().key(case))
    assert len(keys) == 5 and all(len(key) == 12 for key in keys)
    assert Sums().key(case) in keys, "the same every time"


def test_constants_without_an_order_or_with_an_address_look_the_same_everywhere():
    assert code.plain({"b", "a"}) == "['a', 'b']" and code.plain(object()) == "object"


def test_weights_are_told_by_their_values():
    network = torch.nn.Linear(2, 2)
    digest = models.digest_of(network, config={"steps": 3, "_version": "1"})
    assert digest == models.digest_of(network, config={"steps": 3, "_version": "2"})
    assert digest != models.digest_of(network, config={"steps": 4})
    network.weight.data[0, 0] += 1
    assert digest != models.digest_of(network, config={"steps": 3})


def test_devices_have_names_that_the_pattern_knows():
    assert provenance.DEVICE.fullmatch(provenance.device_name("cpu"))
    for name in ("NVIDIA H100 80GB HBM3", "Tesla T4", "NVIDIA GeForce RTX 3090 Ti", "AMD Instinct MI300X"):
        assert provenance.DEVICE.fullmatch(name)
    for name in ("NVIDIA H100 80GB HBM3; the paper's setting on a CPU", "CPU", "a laptop", ""):
        assert not provenance.DEVICE.fullmatch(name)


def test_the_commit_can_be_named_where_git_is_missing(monkeypatch):
    provenance.commit.cache_clear()
    monkeypatch.setenv(provenance.COMMIT, "feedfacefeed")
    assert provenance.commit() == "feedfacefeed"
    provenance.commit.cache_clear()
    monkeypatch.delenv(provenance.COMMIT)
    monkeypatch.setattr(provenance, "_git", lambda *_: "")
    assert provenance.commit() == "unknown"
    provenance.commit.cache_clear()


# Command line


def test_whole_studies_are_stored_in_results_and_parts_are_not(folder, capsys, monkeypatch):
    command.execute(Sums())
    assert (folder / "results" / "sums.json").exists() and "total | 12" in capsys.readouterr().out
    command.execute(Sums(), limit=2)
    assert (folder / "work" / "results" / "sums.csv.xz").exists()
    command.execute(Sums(smoke=True))
    assert (folder / "work" / "smoke" / "results" / "sums.json").exists()
    assert len(list((folder / "results").iterdir())) == 2


def test_a_study_for_a_gpu_says_so_without_one(folder, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    class OnGpu(Sums):
        where = "cuda"

    command.execute(OnGpu())
    assert "needs a CUDA GPU" in capsys.readouterr().out and not (folder / "results").exists()
    assert OnGpu(smoke=True).unable() == "" and OnGpu(smoke=True).device == "cpu"


def test_reports_come_after_all_studies_and_limits_reach_the_study(capsys, monkeypatch):
    order = []

    class Card(Report):
        name = "card"

        def write(self, folder=None):
            order.append("card")
            return ["card.md"]

    monkeypatch.setattr(command, "find", {"card": Card, "sums": Sums}.__getitem__)
    monkeypatch.setattr(command, "execute", lambda study, *options: order.append((study.smoke, *options)))
    command.main(["card", "sums", "--limit", "2", "--smoke"])
    assert order == [(True, 2, False, False), "card"] and "wrote card.md" in capsys.readouterr().out
    for wrong in (["--limit", "0"], ["--extend", "--smoke"], ["--extend", "--again"]):
        with pytest.raises(SystemExit):
            command.main(["sums", *wrong])


def test_a_batch_on_a_gpu_may_be_larger(monkeypatch):
    class Batches(Sums):
        batch, batch_on_gpu = 2, 64

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert Batches().at_once == 64 and Batches().device == "cuda" and Batches(smoke=True).at_once == 2
    assert Batches().steps is None and Batches(smoke=True).steps == study.SMOKE_STEPS
