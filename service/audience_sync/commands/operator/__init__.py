"""What an operator asks of a running replica, and tells it: the operator's page, from the shell."""
