"""A small site that uses django-faceverify: see README.md beside this file."""

from __future__ import annotations

from example_project.celery import app as celery_app

__all__ = ["celery_app"]
