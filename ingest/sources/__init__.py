"""One module per kind of source, each with `find(...)`: yields objects in the order in which they are to be loaded."""
