"""The parts of the page: a module for each part of the benchmark.

Each has `goals(figures)`, what was promised of it (None: the part has not run), and `section(figures)`.
"""
