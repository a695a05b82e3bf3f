# Optional: an ffmpeg for MP4 where the system has none.
from typing import Any

def __getattr__(name: str) -> Any: ...
