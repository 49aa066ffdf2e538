"""Dead letters read and prepared for people and for a redrive; pure."""
