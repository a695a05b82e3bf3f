"""Which of a part's files to read: the precision that is wanted first, safetensors before what must be unpickled.

A .bin file is a pickle. Diffusers and transformers read it with `weights_only=True`, which makes tensors of it and runs
nothing; a test holds them to it.
"""

from pathlib import Path

import torch

HALF = "fp16"  # the variant of files in half precision


def attempts(source: str, subfolder: str, dtype: torch.dtype, local: bool) -> list[dict]:
    """Options of `from_pretrained`, the best first: of a folder those for which there are files, of the hub all.

    Told plainly whether there are safetensors, diffusers does not complain that there are none.
    """
    variants = (HALF, None) if dtype == torch.float16 else (None, HALF)
    options = []
    for variant in variants:
        options += [{"variant": variant, "use_safetensors": True}, {"variant": variant, "use_safetensors": False}]
    if not local:
        return options
    names = [file.name for file in (Path(source) / subfolder).iterdir()]
    present = [choice for choice in options if any(_fits(name, **choice) for name in names)]
    return present or options[:1]


def _fits(name: str, variant: str | None, use_safetensors: bool) -> bool:
    suffix = ".safetensors" if use_safetensors else ".bin"
    return name.endswith(suffix) and (f".{HALF}" in name) == (variant == HALF)
