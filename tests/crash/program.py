"""A module's ``main()`` in a process of its own, with Django: ``python -m tests.crash.program``.

The module and its arguments follow; the settings are named by ``DJANGO_SETTINGS_MODULE``.
"""

from __future__ import annotations

import sys
from importlib import import_module

import django

if __name__ == "__main__":
    django.setup()
    import_module(sys.argv.pop(1)).main()
