"""The whole service on virtual time, in a made-up world: log, group, Chat API, network and several processes.

Everything that happens is decided by one seed. `python -m tests.simulation --seeds 1000` runs many histories.
"""
