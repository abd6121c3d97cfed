"""The hot path: from a leased block, window by window, over the lines to a recorded outcome."""
