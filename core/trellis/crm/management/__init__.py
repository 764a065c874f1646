"""Management: a direction of the CRM model."""
