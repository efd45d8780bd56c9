"""Letters: what they say (messages), how they look on the wire (envelope), and who carries them (transports)."""
