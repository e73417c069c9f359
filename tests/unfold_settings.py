"""The settings of the tests on a site whose admin is django-unfold's."""

from __future__ import annotations

from tests.settings import *  # noqa: F403 (this is how Django's settings build on others)
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = ["unfold", *INSTALLED_APPS]
