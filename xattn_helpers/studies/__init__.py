"""Measurements that take too long for a lesson: `python -m xattn_helpers.studies NAME`; tables in `results/`."""

from .store import load_rows, load_table, measured, origin

__all__ = ["load_rows", "load_table", "measured", "origin"]
