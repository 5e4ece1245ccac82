"""Jobs on Dask: start or attach, submit, cancel, progress."""
