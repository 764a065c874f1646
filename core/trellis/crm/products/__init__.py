"""Products: a direction of the CRM model."""
