"""Run many cases with progress and an ETA, in any number of processes, so that an interruption loses nothing."""

import json
import platform
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch
from accelerate import PartialState
from tqdm.auto import tqdm

from xattn_helpers.metrics import interval, share

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs/bench")
PACKAGES = ("torch", "diffusers", "transformers", "numpy")


def run(
    name: str, cases: list[dict], measure: Callable[[list[dict]], list[dict]], batch: int = 1, key: str = ""
) -> list[dict]:
    """Measure all cases, `batch` at a time; rows are the cases with what `measure` adds, in the order of the cases.

    Finished rows are kept in a file a process and are not measured again; `key` names what else they depend on (a
    version of the weights), so that rows of an older state are not taken for new ones. Start several processes with
    `accelerate launch`: each measures its share, all return all rows, and `store` writes once.
    """
    state = PartialState()
    WORK.mkdir(parents=True, exist_ok=True)
    finished = _finished(name)
    todo = [case for case in cases if _identity(case, key) not in finished]
    state.wait_for_everyone()  # who looked after another had written would divide a shorter list, and leave cases out
    mine = todo[state.process_index :: state.num_processes]
    chunks = [mine[start : start + batch] for start in range(0, len(mine), batch)]
    with (WORK / f"{name}.{state.process_index}.jsonl").open("a") as file:
        bar = tqdm(total=len(mine), desc=name, disable=not state.is_main_process, mininterval=2)
        for chunk in chunks:
            for case, measured in zip(chunk, measure(chunk), strict=True):
                file.write(json.dumps({"identity": _identity(case, key), **case, **measured}) + "\n")
            file.flush()
            bar.update(len(chunk))
        bar.close()
    state.wait_for_everyone()
    finished = _finished(name)
    return [finished[_identity(case, key)] for case in cases]


def _identity(case: dict, key: str) -> str:
    return json.dumps([key, case], sort_keys=True)


def _finished(name: str) -> dict[str, dict]:
    rows = [json.loads(line) for file in sorted(WORK.glob(f"{name}.*.jsonl")) for line in file.read_text().splitlines()]
    return {row.pop("identity"): row for row in rows}


def rate(hits: list[bool]) -> dict:
    """A share with Wilson's 95 % interval, which stays honest when all or none are hits."""
    middle, low, high = share(hits)
    return {"mean": middle, "low": low, "high": high, "n": len(hits)}


def mean(values: list[float]) -> dict:
    """A mean with its bootstrap 95 % interval; NaNs are left out and not counted."""
    middle, low, high = interval(values)
    return {"mean": middle, "low": low, "high": high, "n": sum(value == value for value in values)}


def store(name: str, table: dict, most: int | None = None, **about) -> Path:
    """Write a table with its provenance to `benchmarks/results/NAME.json`; `most` is that of the command line."""
    command = f"python -m benchmarks {name}" + (f" --most {most}" if most else "")
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor() or "CPU"
    provenance = {
        "command": command, "date": date.today().isoformat(), "device": device,
        "versions": {package: version(package) for package in PACKAGES}, **about,
    }  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    if PartialState().is_main_process:
        file.write_text(json.dumps({"provenance": provenance, "table": table}, indent=1) + "\n")
    return file


def load_table(name: str) -> dict:
    """A stored table, for notebooks and cards."""
    return json.loads((RESULTS / f"{name}.json").read_text())["table"]


def show(figure: dict, percent: bool = True) -> str:
    """A figure in words: '96.5 % (93.1 to 98.3), n = 200'."""
    scale, unit, digits = (100, " %", 1) if percent else (1, "", 3)
    low, middle, high = (scale * figure[key] for key in ("low", "mean", "high"))
    return f"{middle:.{digits}f}{unit} ({low:.{digits}f} to {high:.{digits}f}), n = {figure['n']}"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
