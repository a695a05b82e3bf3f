"""`python -m benchmarks [NAME …]`: run the named measurements, or all of them."""

import argparse
from importlib import import_module

NAMES = ("pocket_quality", "pocket_speed", "model_card", "attention_noise")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], default=list(NAMES), metavar="NAME", help=str(NAMES))
    for name in parser.parse_args().names:
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
