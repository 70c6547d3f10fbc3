"""`supervisor support-bundle`: what a remote helper needs to know, in one archive and without secrets."""
