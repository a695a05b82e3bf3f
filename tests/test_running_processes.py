"""Several processes that share a study, started as torchrun starts them."""

import json

import kernels_for_tests
import slow_study
from slow_study import SQUARES
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from xattn_helpers.studies import __main__ as command


def work(folder, seconds):
    """In each process, what `python -m xattn_helpers.studies slow` would do."""
    slow_study.use(folder, seconds)
    command.main(["slow"])


def test_two_processes_share_eleven_rows_and_leave_together(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    start = kernels_for_tests.start_method()
    place = {"rdzv_backend": "c10d", "rdzv_endpoint": "localhost:0", "run_id": tmp_path.name}
    elastic_launch(LaunchConfig(1, 1, 2, max_restarts=0, start_method=start, **place), work)(tmp_path, 0.2)
    stored = json.loads((tmp_path / "results" / "slow.json").read_text())
    assert stored["table"] == {"total": sum(SQUARES), "processes": 2}
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == ["slow.0.jsonl", "slow.1.jsonl"]
