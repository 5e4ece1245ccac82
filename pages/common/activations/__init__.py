"""The right side of the Activations page, a module a view."""
