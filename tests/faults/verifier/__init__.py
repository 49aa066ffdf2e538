"""An independent verifier: what became of every fact, read from topics and tables only.

Nothing here imports the hub, and no profile is read: the truth comes from the load's ledger.
"""
