"""Train the pocket models: `python -m xattn_helpers.pocket.training`, or with several GPUs `accelerate launch -m …`."""

import sys

from transformers import HfArgumentParser

from .config import TrainConfig
from .stored import UnusableFile
from .trainer import Trainer


def main() -> None:
    """Command line."""
    parser = HfArgumentParser(TrainConfig)
    try:
        (config,) = parser.parse_args_into_dataclasses()
    except ValueError as error:
        parser.error(str(error))
    try:
        Trainer(config).run()
    except (UnusableFile, FileNotFoundError) as error:  # what users can help: a sentence is enough
        sys.exit(str(error))


if __name__ == "__main__":
    main()
