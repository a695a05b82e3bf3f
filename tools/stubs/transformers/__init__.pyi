# As diffusers: lazy imports, and results that are unions of all that there is.
from typing import Any

def __getattr__(name: str) -> Any: ...
