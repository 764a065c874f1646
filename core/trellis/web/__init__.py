"""The web face: pages rendered by the server."""
