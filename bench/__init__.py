"""Speed as ratios: each line holds our work against a floor measured side by side in the same run."""
