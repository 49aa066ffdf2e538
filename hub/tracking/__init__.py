"""Tracking: one matter from the department to the program, with the words of the declarations."""
