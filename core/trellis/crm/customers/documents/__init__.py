"""Document templates (CU7): those that the edition brings and one's own, filled with a record, and kept at it."""
