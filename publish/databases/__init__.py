"""The published tables, as tables of a database server or of an SQLite file.

docs/publishing.md says what lands there and what happens on failure.
"""

from publish.databases.keys import read_keys
from publish.databases.sending import Sent, send

__all__ = ["Sent", "read_keys", "send"]
