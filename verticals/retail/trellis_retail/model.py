"""Where retail stands in the CRM model: the cells that its contributions land in."""

from __future__ import annotations

from trellis import Cell, Direction, Level

STRUCTURE = Cell(Direction.MANAGEMENT, Level.TACTICS, "MG2")
PROCESSES = Cell(Direction.MANAGEMENT, Level.TACTICS, "MG3")
INSTRUCTIONS = Cell(Direction.MANAGEMENT, Level.OPERATIONS, "MG7")
SCRIPTS = Cell(Direction.MARKET, Level.OPERATIONS, "MK4")
SEGMENTATION = Cell(Direction.CUSTOMERS, Level.STRATEGY, "CU1")
SIGNIFICANCE = Cell(Direction.CUSTOMERS, Level.TACTICS, "CU4")
LIFECYCLE = Cell(Direction.CUSTOMERS, Level.TACTICS, "CU5")
TEMPLATES = Cell(Direction.CUSTOMERS, Level.OPERATIONS, "CU7")
CONSENT = Cell(Direction.MARKETING, Level.STRATEGY, "MC1")
PROMOTIONS = Cell(Direction.MARKETING, Level.TACTICS, "MC3")
RELATIONS = Cell(Direction.MARKETING, Level.OPERATIONS, "MC5")
RESPONSE = Cell(Direction.MARKETING, Level.TACTICS, "MC4")
CHANNELS = Cell(Direction.SALES, Level.STRATEGY, "SA1")
SALES = Cell(Direction.SALES, Level.TACTICS, "SA5")
REPORTS = Cell(Direction.SALES, Level.OPERATIONS, "SA6")
RETURNS = Cell(Direction.SERVICE, Level.TACTICS, "SE2")
