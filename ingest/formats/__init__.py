"""One module per file format, each with `read(file, ...)`: yields batches of records as received."""
