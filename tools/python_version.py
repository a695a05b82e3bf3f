"""Stops with a sentence where Python is too old: `python3` is 3.9 on some systems that have a newer one as well."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Python 3.11 or newer is needed, and %s is %d.%d.%d. Where a newer one is installed, name it: "
        "make test PYTHON=python3.12" % ((sys.executable,) + sys.version_info[:3])
    )
