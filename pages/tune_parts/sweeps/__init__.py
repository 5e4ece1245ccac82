"""The sweep side of the Tune page: axes on top of the form's run, and the state of a sweep."""
