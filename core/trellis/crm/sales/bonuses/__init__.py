"""Bonuses of sales staff (SA4)."""
