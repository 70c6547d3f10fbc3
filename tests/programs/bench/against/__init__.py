"""`make bench AGAINST=<commit>`: this version and another one, measured in turn, and the ratio of each figure.

Both are copied and get an environment each, by their own `deploy/bootstrap.sh`. Engine, load and counters are this
version's for both, so only the worker differs. A pair of measurements starts both workers anew: what a start leaves to
chance (addresses, hashes, places in memory) varies from pair to pair, and what the machine does meanwhile meets both.
"""
