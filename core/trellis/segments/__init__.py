"""The segment engine: dynamic sets of records, their sizes, members, and history of entry and exit."""
