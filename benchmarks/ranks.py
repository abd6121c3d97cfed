"""Whether two samples come from one distribution: the Mann–Whitney U test, with its normal approximation. Pure.

It compares ranks, so that one slow answer weighs no more than any other; ties share their ranks.
"""

import math
from collections.abc import Sequence


def p_value(left: Sequence[float], right: Sequence[float]) -> float:
    """Give how likely two samples of one distribution differ at least so much, either way: from 0 to 1."""
    pooled = sorted([(value, 0) for value in left] + [(value, 1) for value in right])
    count, total = len(left), len(pooled)
    ranks, ties, first = 0.0, 0.0, 0
    while first < total:
        last = first
        while last < total and pooled[last][0] == pooled[first][0]:
            last += 1
        same = last - first
        ranks += sum(side == 0 for _, side in pooled[first:last]) * (first + 1 + last) / 2
        ties += same**3 - same
        first = last
    product = count * (total - count)
    deviation = math.sqrt(product / 12 * (total + 1 - ties / (total * (total - 1))))
    if not deviation:
        return 1.0
    distance = abs(ranks - count * (count + 1) / 2 - product / 2)
    # Half a rank, for counts are compared with a smooth curve.
    return math.erfc(max(0.0, distance - 0.5) / deviation / math.sqrt(2))
