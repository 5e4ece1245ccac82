"""What the engine can be asked to do: a module for each kind of job, and what is read of what jobs made."""
