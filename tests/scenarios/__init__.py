"""Scenarios: a YAML file a case, lived through by the whole service on virtual time, each figure with its range."""
