"""One thin script a view: widgets → spec → core call → figure."""
