"""`supervisor lab`: a lab of devices on this machine, on which people can try blocks."""
