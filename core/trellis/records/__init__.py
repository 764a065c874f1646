"""Records: entities, fields, rules and the one door for writing."""
