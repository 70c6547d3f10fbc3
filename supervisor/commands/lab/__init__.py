"""`supervisor lab`: a lab of devices on this machine, for people to try blocks on."""
