"""What is measured: a module each, with `measure(rig, size)`, which returns a struct of figures that becomes JSON.

A part takes its size from `Size`, compares contestants in turns (A B A B), and says of each run how many users
are out of step. It prints a line for each run, so that who waits sees where it is.
"""
