"""Records into the lake: `load_all(plant, paths)` loads whatever is new, whole objects or nothing, none twice."""

from ingest.arrivals import load_all, load_landed
from ingest.lake import Load
from ingest.loader import Loader

__all__ = ["Load", "Loader", "load_all", "load_landed"]
