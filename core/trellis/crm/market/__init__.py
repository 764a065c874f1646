"""Market: a direction of the CRM model."""
