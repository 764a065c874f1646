"""Customers: a direction of the CRM model."""
