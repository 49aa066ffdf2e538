"""Hospitals (定点医疗机构): the interface messages of medical insurance, pushed."""
