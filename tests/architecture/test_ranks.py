"""The test by which known and unknown addresses are compared finds what differs, and nothing else."""

from benchmarks.ranks import p_value


def test_alike_samples_are_alike() -> None:
    assert p_value([1, 2, 3, 4, 5], [5, 4, 3, 2, 1]) == 1.0
    assert p_value([7.0] * 20, [7.0] * 20) == 1.0
    assert p_value(range(0, 800, 2), range(1, 801, 2)) > 0.5


def test_a_shift_is_found_whichever_side_is_slower() -> None:
    """The same figures by hand: U = 50, 40 values of which 10 pairs are tied, z = 4.05."""
    fast, slow = list(range(20)), list(range(10, 30))
    assert p_value(fast, slow) == p_value(slow, fast)
    assert 4e-5 < p_value(fast, slow) < 6e-5
    assert p_value([each / 10 for each in range(400)], [each / 10 + 5 for each in range(400)]) < 1e-6
