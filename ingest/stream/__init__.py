"""Live sources: `python -m ingest stream` lands what brokers and servers send; the next run or refresh loads it."""
