"""Reports: asked for, made from a snapshot of plain values, kept."""
