"""`make lab`: the way from a job to real routers and back."""
