"""Every hostile block through one real worker: the truthful result, in time, with nothing left behind."""
