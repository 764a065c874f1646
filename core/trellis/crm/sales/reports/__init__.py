"""Reports that write themselves: lists with groups and totals, sent to people when they are due (SA6)."""
