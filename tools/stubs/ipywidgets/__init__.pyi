# Its traits are untyped: a widget has no attribute that a checker could see.
from typing import Any

def __getattr__(name: str) -> Any: ...
