"""Full-text search over the searchable fields of every entity, in any word order, by word forms, with slips forgiven.

The databases keep the index themselves, like any other: on PostgreSQL a GIN index of an expression over the fields, on
SQLite an FTS5 table kept by triggers. So it is written with the record whatever writes it, one record or a million.

- :mod:`words`: a text becomes words and their stems;  :mod:`index`: the index of an entity, made and renewed
- :mod:`asked`: what somebody typed;  :mod:`matching`: that as a condition of SQL
- :mod:`vocabulary`: the words of a workspace, where those near a mistyped one are found
- :mod:`everywhere`: all entities at once, best first
"""
