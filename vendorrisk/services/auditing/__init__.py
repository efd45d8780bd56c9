"""The trail: read, searched, sealed, checked, exported; and readings, which are events too."""
