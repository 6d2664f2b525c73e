"""The figures of a run as a page and pictures: pure functions of `docs/performance.json`."""
