"""Documents: templates filled with a record and what belongs to it, as HTML, Word and PDF."""
