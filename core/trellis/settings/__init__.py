"""What the organisation decides for itself, without code."""
