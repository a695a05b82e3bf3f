"""`python -m benchmarks [NAME …]`: run the named measurements, or all of them."""

import argparse
from importlib import import_module

NAMES = ("pocket_quality", "pocket_speed", "recording_cost", "attention_noise", "model_card")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--most", type=int, help="at most so many videos of each kind (pocket_quality)")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NAMES)
    if unknown:
        parser.error(f"no measurement {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    for name in arguments.names or NAMES:
        limits = {"most": arguments.most} if name == "pocket_quality" else {}
        import_module(f"benchmarks.{name}").main(**limits)


if __name__ == "__main__":
    main()
