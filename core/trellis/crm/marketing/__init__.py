"""Marketing communications: a direction of the CRM model."""
