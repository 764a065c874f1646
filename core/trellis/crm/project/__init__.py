"""The CRM project: the model board, and later the organisation's own route from conference to audit."""
