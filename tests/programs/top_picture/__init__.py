"""Makes the picture of `supervisor top` that README shows, of a worker that really runs."""
