"""Run a study: with progress, in any number of processes, and so that an interruption loses nothing.

Every finished row is written at once to a file of its process, `runs/studies/NAME.<process>.jsonl`. A run that is
started again takes from these files what was measured under the same key. `accelerate launch -m xattn_helpers.studies
NAME` divides the cases among processes; all of them return all rows. (`torchrun` does so, on CPUs too.) More
processes than GPUs share them, which makes studies of single small videos faster, and times those of a crowd.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from math import ceil
from os import environ
from pathlib import Path

import torch
from accelerate import PartialState
from tqdm.auto import tqdm

from .records import Finished, Record, record_of
from .row_file import RowFile, set_aside
from .rows import Case
from .study import Study

WORK = Path("runs/studies")
PATIENCE = timedelta(hours=12)  # how long a process waits for the others, whose videos may take longer


def run(
    study: Study, limit: int | None = None, again: bool = False, stored: Sequence[Record] = ()
) -> list[Record]:  # fmt: skip
    """Measure all cases of a study that have no finished row, and return the records of all, in the order of cases.

    With `again` nothing finished is used; it is set aside. `stored` are rows that were finished elsewhere. Raises
    ValueError if the study does not return one row for each case, and Stopped where rows cannot be written, or another
    run writes them.
    """
    state = processes()
    if state.is_main_process:
        refuse_company(study)
        if again:
            set_aside(files(study))
    state.wait_for_everyone()
    cases = study.chosen(limit)
    with RowFile(folder_of(study) / f"{study.name}.{state.process_index}.jsonl") as row_file:
        finished = Finished(study, files(study), stored)
        missing = [case for case in cases if finished.record(case) is None]
        if state.is_main_process:
            finished.tell(cases)
        state.wait_for_everyone()  # whoever looks after a row was written would divide a shorter list, and lose cases
        measure(study, mine(study, missing, state), row_file, state)
    state.wait_for_everyone()
    finished = Finished(study, files(study), stored)
    return [finished.required(case) for case in cases]


class Processes(PartialState):
    """The processes of a run, which only wait for one another.

    That needs no GPU: waiting for one in NCCL takes a processor, and a process that ends, well or not, may then wait
    for the other's GPU. torch's own barrier takes a GPU for each process, and there may be fewer.
    """

    def wait_for_everyone(self) -> None:
        """Go on when all processes are here."""
        if self.num_processes > 1:
            torch.distributed.all_reduce(torch.zeros(1))


def processes() -> PartialState:
    """The process of this run that this is, and how many there are; they take GPUs in turn."""
    rank, gpus = int(environ.get("LOCAL_RANK", "-1")), torch.cuda.device_count()
    if gpus:
        torch.cuda.set_device(max(rank, 0) % gpus)
    backend = {} if rank < 0 else {"backend": "gloo"}
    return Processes(cpu=True, timeout=PATIENCE, **backend)


def refuse_company(study: Study) -> None:
    """Raise Stopped where another run measures the study in the same folder; a killed one may have left a process."""
    for file in files(study):
        RowFile(file).stream.close()


def measure(study: Study, chunks: Sequence[Sequence[Case]], row_file: RowFile, state: PartialState) -> None:
    """Measure the chunks of one process, and write each row as soon as it is there."""
    total = sum(len(chunk) for chunk in chunks)
    bar = tqdm(total=total, desc=study.name, disable=not state.is_main_process or not total, mininterval=1)
    with bar:
        for chunk in chunks:
            rows = study.measure(chunk)
            if len(rows) != len(chunk):
                raise ValueError(f"{study.name} measured {len(rows)} rows for {len(chunk)} cases")
            row_file.add([record_of(study, case, row) for case, row in zip(chunk, rows, strict=True)])
            bar.update(len(chunk))


def mine(study: Study, missing: Sequence[Case], state: PartialState) -> list[list[Case]]:
    """The chunks of cases that this process measures; a study that is not parallel leaves all to the first."""
    if not study.parallel:
        return list(chunks(study, missing, study.at_once)) if state.is_main_process else []
    size = min(study.at_once, ceil(len(missing) / state.num_processes) or 1)
    return list(chunks(study, missing, size))[state.process_index :: state.num_processes]


def chunks(study: Study, cases: Sequence[Case], size: int) -> Iterator[list[Case]]:
    """Neighbours of the same group, at most `size` of them."""
    for _, members in groupby(cases, study.group):
        group = list(members)
        for start in range(0, len(group), size):
            yield group[start : start + size]


def folder_of(study: Study) -> Path:
    """Where the rows of a study are kept while it runs; smoke runs have a folder of their own."""
    return WORK / "smoke" if study.smoke else WORK


def files(study: Study) -> list[Path]:
    """The files of finished rows of a study, of all processes."""
    return sorted(folder_of(study).glob(f"{study.name}.*.jsonl"))
