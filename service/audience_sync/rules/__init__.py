"""The rules file: its model and its mistakes; it compiles to core/rules.py."""
