"""`supervisor support-bundle`: what somebody needs to know who helps from afar, in one archive and without secrets."""
