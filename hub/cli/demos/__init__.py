"""The demonstration: a city, its departments, the hub and the programs on one machine.

``stages`` starts everything, ``plays`` plays the story, ``receivers`` are the programs,
``observers`` see what happens, ``screens`` show it.
"""
