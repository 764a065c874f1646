"""Where banking stands in the CRM model: the cells that its contributions land in."""

from __future__ import annotations

from trellis import Cell, Direction, Level

PROCESSES = Cell(Direction.MANAGEMENT, Level.TACTICS, "MG3")
POSITIONS = Cell(Direction.MANAGEMENT, Level.TACTICS, "MG4")
CONTROL = Cell(Direction.MANAGEMENT, Level.TACTICS, "MG6")
INSTRUCTIONS = Cell(Direction.MANAGEMENT, Level.OPERATIONS, "MG7")
SCRIPTS = Cell(Direction.MARKET, Level.OPERATIONS, "MK4")
SEGMENTATION = Cell(Direction.CUSTOMERS, Level.STRATEGY, "CU1")
AGREEMENTS = Cell(Direction.CUSTOMERS, Level.TACTICS, "CU2")
SIGNIFICANCE = Cell(Direction.CUSTOMERS, Level.TACTICS, "CU4")
LIFECYCLE = Cell(Direction.CUSTOMERS, Level.TACTICS, "CU5")
PYRAMID = Cell(Direction.CUSTOMERS, Level.TACTICS, "AN4")
DOCUMENTS = Cell(Direction.CUSTOMERS, Level.OPERATIONS, "CU7")
CALCULATION = Cell(Direction.PRODUCTS, Level.STRATEGY, "PR1")
WORKFLOW = Cell(Direction.PRODUCTS, Level.OPERATIONS, "PR4")
CONTACTS = Cell(Direction.MARKETING, Level.STRATEGY, "MC1")
RELATIONS = Cell(Direction.MARKETING, Level.OPERATIONS, "MC5")
CHANNELS = Cell(Direction.SALES, Level.STRATEGY, "SA1")
FUNNEL = Cell(Direction.SALES, Level.TACTICS, "SA3")
SALES = Cell(Direction.SALES, Level.TACTICS, "SA5")
REPORTS = Cell(Direction.SALES, Level.OPERATIONS, "SA6")
