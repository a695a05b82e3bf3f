"""Measuring videos and maps: where an object is, how well it keeps to its track, and how sure a figure is."""
