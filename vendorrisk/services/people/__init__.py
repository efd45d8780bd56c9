"""Who works here: accounts, second factors, sign-ins, and what they may try how often."""
