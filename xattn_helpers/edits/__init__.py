"""Everything that changes a run: swaps of maps, guidance of latents, and what both are made of."""
