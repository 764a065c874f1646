"""Letters: mails that people write from a record, also from templates with the fields of the record."""
