"""The five ways a department's records reach ``in.*``: view, file, rest, queue and manual."""
