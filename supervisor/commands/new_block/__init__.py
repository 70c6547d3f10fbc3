"""`supervisor new-block`: a module with a working function block and its tests, for an author to start from."""
