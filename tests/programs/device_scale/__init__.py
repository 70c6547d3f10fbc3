"""Many devices at a time: how long it takes, beside one alone, and beside devices that hang. `make device-scale`."""
