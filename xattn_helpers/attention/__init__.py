"""Seeing the attention of a run: the one processor, recordings, and what maps look like."""
