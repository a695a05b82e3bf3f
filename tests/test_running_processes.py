"""Several processes that share a study, started as a user starts them."""

import json
import os
import subprocess
import sys
from pathlib import Path

from slow_study import SQUARES


def test_two_processes_share_eleven_rows_and_leave_together(tmp_path):
    script = Path(__file__).with_name("slow_study.py")
    command_line = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", script, tmp_path, "0.2"]
    environment = os.environ | {"PYTHONPATH": str(script.parents[1]), "CUDA_VISIBLE_DEVICES": ""}
    finished = subprocess.run(command_line, capture_output=True, text=True, timeout=300, env=environment)
    assert finished.returncode == 0, finished.stderr
    stored = json.loads((tmp_path / "results" / "slow.json").read_text())
    assert stored["table"] == {"total": sum(SQUARES), "processes": 2}
    assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == ["slow.0.jsonl", "slow.1.jsonl"]
