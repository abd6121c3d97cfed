"""Ed25519 as RFC 8032 writes it down, in plain arithmetic: an implementation that shares nothing with ours."""

import hashlib

_P = 2**255 - 19
_Q = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
Point = tuple[int, int]


def _add(one: Point, two: Point) -> Point:
    (x1, y1), (x2, y2) = one, two
    product = _D * x1 * x2 * y1 * y2 % _P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, _P - 2, _P) % _P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, _P - 2, _P) % _P
    return x, y


def _times(factor: int, point: Point) -> Point:
    total: Point = (0, 1)
    while factor:
        if factor & 1:
            total = _add(total, point)
        point, factor = _add(point, point), factor >> 1
    return total


def _recover_x(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    return _P - x if x & 1 != sign else x


def _read(raw: bytes) -> Point | None:
    number = int.from_bytes(raw, "little")
    y = number & (1 << 255) - 1
    x = _recover_x(y, number >> 255)
    return None if x is None else (x, y)


_BASE_Y = 4 * pow(5, _P - 2, _P) % _P
_BASE: Point = (_recover_x(_BASE_Y, 0) or 0, _BASE_Y)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether `signature` is that of `message` under the public key (RFC 8032, section 5.1.7)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = _read(public), _read(signature[:32])
    response = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or response >= _Q:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % _Q
    return _times(response, _BASE) == _add(commitment, _times(challenge, key))
