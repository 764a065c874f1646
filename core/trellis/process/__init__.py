"""Business processes: BPMN 2.0 diagrams, and their instances, kept in the workspace beside the records they change."""
