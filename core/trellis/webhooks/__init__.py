"""Webhooks: the change feed, sent to addresses that administrators name, signed as Standard Webhooks asks."""

from trellis.webhooks.delivering import KIND, work
from trellis.webhooks.keeping import add, followed, new_secret, pause, remove, resume
from trellis.webhooks.waking import wake
from trellis.webhooks.webhook import Webhook

__all__ = [
    "KIND",
    "Webhook",
    "add",
    "followed",
    "new_secret",
    "pause",
    "remove",
    "resume",
    "wake",
    "work",
]
