"""Conversation scripts (MK4): checked, kept by versions, run step by step beside a record, and counted by branch."""
