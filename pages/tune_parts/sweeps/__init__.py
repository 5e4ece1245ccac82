"""The sweep side of the Tune page: axes on top of the form's run, and how a sweep stands."""
