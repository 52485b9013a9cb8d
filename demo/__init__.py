"""The demonstration firm: made-up customers with a fixed seed, so that the first start has a life to show."""
