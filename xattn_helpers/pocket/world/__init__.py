"""The pocket world: its words, what happens in it, and how it is drawn."""
