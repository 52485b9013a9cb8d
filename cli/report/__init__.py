"""The value report as one page that stands alone: no request, no script, no font from elsewhere."""
