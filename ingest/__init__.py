"""Records into the lake: `load_all(plant, paths)` loads whatever is new, whole objects or nothing, none twice."""

from ingest.lake import Load
from ingest.loader import Loader, load_all, load_landed

__all__ = ["Load", "Loader", "load_all", "load_landed"]
