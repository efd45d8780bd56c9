"""The pages, split by who is looking: staff, vendor, auditor; what they share lies beside them."""
