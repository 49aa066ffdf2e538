"""Types the deciders share: records of the store, state of a batch, decisions."""
