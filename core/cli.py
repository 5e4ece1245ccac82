"""The same verbs from a shell."""


def main() -> None:
    """Run the command line."""
