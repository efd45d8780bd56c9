"""Vendors, their contacts, the cases about them, and the pages that find them again."""
