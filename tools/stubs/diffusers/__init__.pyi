# Lazy imports and annotations that do not hold (defaults of None, exports that are not named).
from typing import Any

def __getattr__(name: str) -> Any: ...
