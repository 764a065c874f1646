"""Journeys: a sequence of messages, waits, splits and tasks for each customer (MC5)."""
