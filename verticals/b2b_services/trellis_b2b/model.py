"""Where B2B services stand in the CRM model: the cells that the contributions land in."""

from __future__ import annotations

from trellis import Cell, Direction, Level

PROCESSES = Cell(Direction.MANAGEMENT, Level.TACTICS, "MG3")
POSITIONS = Cell(Direction.MANAGEMENT, Level.TACTICS, "MG4")
CONTROL = Cell(Direction.MANAGEMENT, Level.TACTICS, "MG6")
SCRIPTS = Cell(Direction.MARKET, Level.OPERATIONS, "MK4")
SEGMENTATION = Cell(Direction.CUSTOMERS, Level.STRATEGY, "CU1")
AGREEMENTS = Cell(Direction.CUSTOMERS, Level.TACTICS, "CU2")
PYRAMID = Cell(Direction.CUSTOMERS, Level.TACTICS, "AN4")
RELATIONS = Cell(Direction.MARKETING, Level.OPERATIONS, "MC5")
FUNNEL = Cell(Direction.SALES, Level.TACTICS, "SA3")
SALES = Cell(Direction.SALES, Level.TACTICS, "SA5")
