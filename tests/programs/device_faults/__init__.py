"""`make device-faults`: every bad input that a device can be, through blocks in real children of the worker."""
