"""`python -m xattn_helpers.studies [NAME ...]`: measure the named studies, or all of them, and store their tables."""

import argparse
import sys

from .models import missing
from .row_file import Stopped
from .running import folder_of, processes, run
from .store import RESULTS, store, stored_records
from .study import Report, Study, find, names


def main(arguments: list[str] | None = None) -> None:
    """Command line; without names everything, reports last."""
    parser = argparse.ArgumentParser(prog="python -m xattn_helpers.studies", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="see --list")
    parser.add_argument("--list", action="store_true", help="list the studies and reports")
    parser.add_argument("--limit", type=int, help="at most so many cases of each group; not stored in results/")
    parser.add_argument("--settings", nargs="+", metavar="SETTING", help="only these settings; not stored in results/")
    parser.add_argument("--smoke", action="store_true", help="few cases and steps, on the CPU; not stored in results/")
    parser.add_argument("--again", action="store_true", help="measure anew what was finished before, too")
    parser.add_argument("--extend", action="store_true", help="measure only what the stored tables do not have yet")
    options = parser.parse_args(arguments)
    if options.extend and (options.again or options.smoke):
        parser.error("--extend takes what was measured before: it goes with neither --again nor --smoke")
    if options.limit is not None and options.limit < 1:
        parser.error(f"--limit {options.limit}: it must be at least 1, the cases of each group")
    try:
        commands = [find(name) for name in options.names or names()]
    except ValueError as error:
        parser.error(str(error))
    if options.list:
        print(*(f"{command.name:20} {first_line(command)}" for command in commands), sep="\n")
        return
    try:
        carry_out(commands, options)
    except Stopped as stop:
        sys.exit(f"stopped: {stop}")
    except KeyboardInterrupt:
        sys.exit("stopped: rows that were finished are kept, and the same command goes on from them.")


def carry_out(commands: list[type], options: argparse.Namespace) -> None:
    """Studies first, then reports; all processes leave at the same time."""
    state = processes()  # asked for before anybody else does, who would wait less long
    for command in sorted(commands, key=lambda command: issubclass(command, Report)):
        instance = command(options.smoke)
        for reason in missing(command.compared):
            print(f"{command.name}: {reason} and is left out.")
        if command.compared and not instance.present:
            continue
        if isinstance(instance, Study):
            instance.only = tuple(options.settings or ())
            execute(instance, options.limit, options.again, options.extend)
        elif state.is_main_process and isinstance(instance, Report):
            print(*(f"wrote {file}" for file in instance.write()), sep="\n")
    state.wait_for_everyone()
    state.destroy_process_group()


def execute(study: Study, limit: int | None = None, again: bool = False, extend: bool = False) -> None:
    """Measure, print and store: whole studies in results/, parts and smoke runs beside their rows."""
    reason = study.unable()
    if reason:
        print(f"{study.name}: {reason} and is left out.")
        return
    records = run(study, limit, again, stored_records(study, RESULTS) if extend else ())
    if not processes().is_main_process:
        return
    whole = limit is None and not study.smoke and not study.only and len(records) == len(study.cases())
    folder = RESULTS if whole else folder_of(study) / "results"
    study.show(store(study, records, folder, limit))
    print(f"wrote {folder / study.name}.json and .csv.xz")


def first_line(command: type) -> str:
    """The first line of a docstring."""
    return (command.__doc__ or "").strip().split("\n")[0]


if __name__ == "__main__":
    main()
