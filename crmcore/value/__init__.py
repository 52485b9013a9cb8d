"""What a customer is worth: pure statistics over order histories.

Units are days and the firm's currency. Mathematical symbols live only in this package; every module
says which symbol is which business word.
"""
