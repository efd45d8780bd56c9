"""Letters on their way out, and the ones that got stuck; called by whoever writes one, and by the clock."""
