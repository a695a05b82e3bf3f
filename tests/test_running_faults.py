"""What can go wrong while a study runs, with real processes: nothing is lost or mixed, and a sentence says what is."""

import json
import multiprocessing
import os
import resource
import sys
import time
from pathlib import Path

import pytest
from slow_study import SQUARES, Slow, use

from xattn_helpers.studies import __main__ as command
from xattn_helpers.studies import row_file, running, study

FORK = multiprocessing.get_context("fork")  # a process of its own, without loading everything again
NOBODY = 65534
ROWS = "slow.0.jsonl"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "WORK", running.WORK)
    monkeypatch.setattr(command, "RESULTS", command.RESULTS)
    monkeypatch.setattr(study, "COMMANDS", dict(study.COMMANDS))
    monkeypatch.setattr(Slow, "seconds", Slow.seconds)
    work = tmp_path / "work"
    use(work)
    return work


def run(output, before=None, seconds=0.0, arguments=("slow",)):
    """The command, with its output in a file; what stopped it is the last line."""
    if before:
        before()
    Slow.seconds = seconds
    sys.stdout = sys.stderr = output.open("w", buffering=1)
    try:
        command.main(list(arguments))
    except SystemExit as stop:
        print(stop)
        sys.stdout.close()
        os._exit(1)


def start(output, *arguments):
    """The command in a new process."""
    process = FORK.Process(target=run, args=(output, *arguments))
    process.start()
    return process


def finish(output, *arguments):
    """The command in a new process, waited for: whether it ended well, and what it said."""
    process = start(output, *arguments)
    process.join(60)
    return process.exitcode == 0, output.read_text()


def records(folder):
    """The records that can be read, by the number of their case, each at most once."""
    numbered = {}
    for line in (folder / ROWS).read_bytes().splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        assert record["case"]["number"] not in numbered, "measured twice"
        numbered[record["case"]["number"]] = record
    return numbered


def wait_for_rows(folder, count):
    deadline = time.monotonic() + 120
    while not (folder / ROWS).exists() or (folder / ROWS).read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def assert_whole(folder):
    """All rows are there, and so is the table."""
    assert [row["measured"]["square"] for _, row in sorted(records(folder).items())] == SQUARES
    assert json.loads((folder / "results" / "slow.json").read_text())["table"]["total"] == sum(SQUARES)


def test_killing_it_again_and_again_loses_no_row(folder, tmp_path):
    for count in (1, 5, 8):
        process = start(tmp_path / "output", None, 0.4)  # so long a row that a busy machine kills it in time
        wait_for_rows(folder, count)
        process.kill()
        process.join()
        assert len(records(folder)) >= count and not (folder / "results").exists()
    kept = records(folder)
    ended_well, said = finish(tmp_path / "output")
    assert ended_well and f"{len(kept)} of 11 rows were finished before" in said
    assert_whole(folder)
    assert kept.items() <= records(folder).items()


def test_a_second_run_in_the_same_folder_is_refused_and_the_first_goes_on(folder, tmp_path):
    first = start(tmp_path / "first", None, 0.1)
    wait_for_rows(folder, 2)
    for arguments in (["slow"], ["slow", "--again"]):
        ended_well, said = finish(tmp_path / "second", None, 0.0, arguments)
        assert not ended_well and f"stopped: {folder / ROWS} is being written by another run" in said
    first.join(60)
    assert first.exitcode == 0 and {row["measured"]["process"] for row in records(folder).values()} == {first.pid}
    assert_whole(folder)


def limit_files():
    """No file of this process may have more than 3,000 bytes, which is in the middle of a row."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))


def test_a_full_disk_ends_the_run_with_a_sentence_and_the_next_goes_on(folder, tmp_path):
    ended_well, said = finish(tmp_path / "output", limit_files)
    assert not ended_well and f"stopped: {folder / ROWS} cannot be written: File too large." in said
    assert (folder / ROWS).stat().st_size == 3000
    kept = records(folder)
    assert 0 < len(kept) < 11
    ended_well, said = finish(tmp_path / "output")
    assert ended_well and "1 lines were not written to their end and are skipped" in said
    assert_whole(folder)
    assert kept.items() <= records(folder).items()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_takes_nothing_leaves_the_stored_table_as_it_was(folder, tmp_path):
    assert finish(tmp_path / "output")[0]
    stored = (folder / "results" / "slow.json").read_text()
    (folder / "results" / "slow.csv.xz.part").symlink_to("/dev/full")
    ended_well, said = finish(tmp_path / "output")
    assert not ended_well and "slow.csv.xz cannot be written: No space left on device." in said
    assert "free some space, and give the same command again" in said
    assert (folder / "results" / "slow.json").read_text() == stored


def become_nobody():
    """Root may write everywhere."""
    if os.geteuid() == 0:
        os.setuid(NOBODY)


def test_a_folder_that_may_not_be_written_is_named_before_anything_is_measured(folder, tmp_path):
    folder.mkdir()
    folder.chmod(0o555)
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    (tmp_path / "output").touch()
    (tmp_path / "output").chmod(0o666)
    ended_well, said = finish(tmp_path / "output", become_nobody, 10.0)
    assert not ended_well and f"stopped: {folder / ROWS} cannot be written: Permission denied." in said
    assert "start it in a folder that you may write to" in said


def test_a_file_where_the_folder_should_be_is_named(folder, tmp_path):
    folder.write_text("")
    ended_well, said = finish(tmp_path / "output")
    assert not ended_well and "cannot be written: File exists." in said


# What is read


def test_blocks_of_nul_take_no_row_with_them(folder, tmp_path):
    assert finish(tmp_path / "output")[0]
    rows = (folder / ROWS).read_bytes().splitlines(keepends=True)
    (folder / ROWS).write_bytes(b"".join([*rows[:4], b"\0" * 512, *rows[4:9], rows[9][:30], b"\0" * 100]))
    ended_well, said = finish(tmp_path / "output")
    assert ended_well and "9 of 11 rows were finished before" in said and "1 lines were not written" in said
    assert (folder / ROWS).read_bytes().count(b'"number": 4}') == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.pop("source"),
        lambda record: record["source"].pop("threads"),
        lambda record: record.update(measured=[1]),
        lambda record: record.update(version=1),
    ],
)
def test_rows_of_an_older_form_are_skipped_with_a_sentence(folder, change, capsys):
    running.run(Slow())
    lines = (folder / ROWS).read_text().splitlines()
    record = json.loads(lines[3])
    change(record)
    lines[3] = json.dumps(record)
    (folder / ROWS).write_text("\n".join([*lines, "[1]", "5", "null"]) + "\n")
    again = [record["measured"]["square"] for record in running.run(Slow())]
    said = capsys.readouterr().out
    assert again == SQUARES and "10 of 11 rows" in said and "4 lines are of an older form of rows" in said


def test_what_is_measured_anew_sets_the_old_rows_aside(folder):
    running.run(Slow())
    before = (folder / ROWS).read_text()
    running.run(Slow(), again=True)
    assert (folder / "slow.0.before").read_text() == before and len(records(folder)) == 11


def test_a_file_system_without_locks_is_written_all_the_same(folder, monkeypatch):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(row_file.fcntl, "flock", refuse)
    assert len(running.run(Slow())) == 11
