"""The kit with which vendors, and our own verticals, test a plugin."""
