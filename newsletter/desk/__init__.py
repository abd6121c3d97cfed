"""The desk: what an editor does with an issue, from its first word to its mailing."""
