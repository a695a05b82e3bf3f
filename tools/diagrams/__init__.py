"""The drawn diagrams of the lessons, in one style: `python -m tools.diagrams` writes notebooks/diagrams/*.svg."""
