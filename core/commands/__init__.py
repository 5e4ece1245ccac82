"""One file a verb of the command line; `core.cli` puts them together."""
