"""`supervisor journal`: what the engine does not have yet, and what to do with results that it refused."""
