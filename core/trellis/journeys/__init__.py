"""Journeys: what a plan is, whether it fits an edition, and when its steps are due. Who goes on one, the CRM knows."""
