"""Page configuration and navigation."""
