"""Gateway: HTTP in and out, forms, tracking, the operators' page. Own process, no deciding."""
