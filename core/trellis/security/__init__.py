"""Who acts, what they may do, and the people of a workspace."""
