"""Train the pocket models: `python -m xattn_helpers.pocket.training`, or with several GPUs `accelerate launch -m …`."""

import sys

from transformers import HfArgumentParser

from .config import TrainConfig
from .stored import UnusableFile
from .trainer import Trainer


def main() -> None:
    """Command line."""
    (config,) = HfArgumentParser(TrainConfig).parse_args_into_dataclasses()
    try:
        Trainer(config).run()
    except UnusableFile as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
