"""How fast mail may leave: limits, slowness, and the places that workers share."""
