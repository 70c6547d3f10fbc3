"""`supervisor new-block`: writes a module with a working function block and its tests, as a start for an author."""
