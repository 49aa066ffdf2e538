"""Monitoring: what measured figures mean. Pure; the sampler brings the figures."""
