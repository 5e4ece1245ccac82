"""One thin script per view: widgets → spec → core call → figure."""
