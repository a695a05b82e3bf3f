"""Train the pocket models: `python -m xattn_helpers.pocket.training`, or with several GPUs `accelerate launch -m …`."""

from transformers import HfArgumentParser

from .config import TrainConfig
from .trainer import Trainer


def main() -> None:
    """Command line."""
    (config,) = HfArgumentParser(TrainConfig).parse_args_into_dataclasses()
    Trainer(config).run()


if __name__ == "__main__":
    main()
