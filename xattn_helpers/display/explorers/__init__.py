"""Explorers: widgets over the calls that the lessons make.

A control only changes traits of other widgets (`Image.value`, `HTML.value`, options); nothing is printed, and nothing
is captured in an `Output`. So everything can also be done and checked in Python, where no browser is. They work with
ipywidgets 7.7 and 8, which nothing else in the package imports. What is drawn in the browser are `Film`, the player,
and `PathPad`, both anywidgets; where anywidget cannot be had, sliders and pictures from the kernel take their places.
"""

from .attention import AttentionExplorer
from .bias import BiasExplorer
from .drawing import PathDrawer
from .swap import SwapExplorer
from .track import TrackExplorer

__all__ = ["AttentionExplorer", "BiasExplorer", "PathDrawer", "SwapExplorer", "TrackExplorer"]
