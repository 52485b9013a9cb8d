"""The use cases, one file a topic; each function is one transaction and the only place that commits."""
