"""Other people's records: what their columns mean and how their numbers, days and words are read.

Plain rules on single values; ``crmcore.tables`` applies them to the columns of files.
"""
