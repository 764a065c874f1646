"""Service: a direction of the CRM model."""
