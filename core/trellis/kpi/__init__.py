"""The measuring engine: KPIs over periods, their targets, and the rollup of income per customer and day."""
