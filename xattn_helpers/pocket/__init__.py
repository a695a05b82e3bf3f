"""The pocket world, and the models that are trained on it: small enough for a repository and a laptop."""
