"""Reports: what the published marts say, per role, as interactive HTML and as Excel workbooks. No business logic."""

from report.publication import PublicationError
from report.rendering import render

__all__ = ["PublicationError", "render"]
