"""Where weights and texts come from: a hub, a local path, a registry package."""
