"""Power company (供电公司): meters of households and electricity relief."""
