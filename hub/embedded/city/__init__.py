"""A synthetic city: invented households and their departments' own records.

Everything is drawn from a seed, so two runs with one seed are the same city. ID numbers carry
the impossible prefix 99 and a right check character.
"""
