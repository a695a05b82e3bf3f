"""`python -m benchmarks [NAME …]`: run the named measurements, or all of them."""

import argparse
from importlib import import_module

NAMES = (
    "pocket_quality", "pocket_speed", "recording_cost", "guidance_cost", "attention_noise", "forward_swap", "guidance",
    "resize", "resize_sheet", "full_size", "model_card",
)  # fmt: skip
MOST = ("pocket_quality", "forward_swap", "guidance", "resize")
OPTIONS = {name: ["most"] for name in MOST} | {"full_size": ["smoke"]}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--most", type=int, help=f"at most so many videos or cases of each kind ({', '.join(MOST)})")
    parser.add_argument("--smoke", action="store_true", help="a tiny network on the CPU, nothing stored (full_size)")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NAMES)
    if unknown:
        parser.error(f"no measurement {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    for name in arguments.names or NAMES:
        limits = {option: getattr(arguments, option) for option in OPTIONS.get(name, ())}
        import_module(f"benchmarks.{name}").main(**limits)


if __name__ == "__main__":
    main()
