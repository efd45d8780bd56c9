"""Requests to vendors and the links and codes that open them."""
