"""Stands before the package of this name, whose grammar of addresses takes three seconds at each import.

jsonschema looks for it, nbformat and so pytest with nbval import jsonschema, and no notebook has a field that asks for
an address. Where the package is missing, jsonschema does without it.
"""

raise ImportError("left out: its grammar takes three seconds at each import")
