"""Write, audit, publish: the warehouse's marts as a version that readers open while the next one is being made.

docs/publishing.md says which file to open and what happens on failure.
"""

from publish.ahead import copying_ahead
from publish.publication import publish
from publish.versions import PublishError, Version, current_version

__all__ = ["PublishError", "Version", "copying_ahead", "current_version", "publish"]
