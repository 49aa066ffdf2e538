"""Assistance hub: facts of departments in, referrals to assistance programs out."""
