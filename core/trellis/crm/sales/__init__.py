"""Sales: a direction of the CRM model."""
