"""The tokens of the pixel and of links: only ours count, each for its own act and issue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.measurement.links import OPEN, Hit, click_token, open_token, read_click, read_open
from newsletter.tokens import InvalidToken, Keyring, decode_id, new_id

KEYS = Keyring(b"a root secret that only tests have")
ISSUE = new_id()
NONCE = bytes(range(16))


def test_a_token_says_issue_nonce_and_link() -> None:
    assert read_open(KEYS, open_token(KEYS, ISSUE, NONCE)) == Hit(ISSUE, NONCE, OPEN)
    assert read_click(KEYS, click_token(open_token(KEYS, ISSUE, NONCE), 513)) == Hit(ISSUE, NONCE, 513)


def test_a_pixel_is_no_link_and_a_link_no_pixel() -> None:
    opened = open_token(KEYS, ISSUE, NONCE)
    with pytest.raises(InvalidToken):
        read_click(KEYS, opened)
    with pytest.raises(InvalidToken):
        read_open(KEYS, click_token(opened, 1))


@pytest.mark.parametrize(
    "number", ["-1", "01", "+1", " 1", "1 ", "1_0", "\u0661", "\u00b2", "10000", "9" * 300, "1/2", "x"]
)
def test_a_link_has_a_plain_number(number: str) -> None:
    with pytest.raises(InvalidToken):
        read_click(KEYS, open_token(KEYS, ISSUE, NONCE) + number)


def test_a_token_for_another_act_is_worthless() -> None:
    with pytest.raises(InvalidToken):
        read_open(KEYS, KEYS.sign(f"unsubscribe/{ISSUE}", decode_id(ISSUE) + NONCE))


def test_a_token_of_another_installation_is_worthless() -> None:
    with pytest.raises(InvalidToken):
        read_open(Keyring(b"another root secret, of another house"), open_token(KEYS, ISSUE, NONCE))


def test_a_token_from_before_a_rotation_still_counts() -> None:
    rotated = Keyring(b"the new root secret, since yesterday", previous=KEYS.root)
    assert read_open(rotated, open_token(KEYS, ISSUE, NONCE)).nonce == NONCE


@given(place=st.integers(0, 200), letter=st.sampled_from("Aa0-_"))
def test_no_letter_of_it_can_be_changed(place: int, letter: str) -> None:
    token = open_token(KEYS, ISSUE, NONCE)
    place %= len(token)
    forged = token[:place] + letter + token[place + 1 :]
    if forged != token:
        with pytest.raises(InvalidToken):
            read_click(KEYS, click_token(forged, 1))


@given(st.text(max_size=600) | st.binary(max_size=80).map(lambda raw: raw.hex()))
def test_rubbish_is_no_token(rubbish: str) -> None:
    with pytest.raises(InvalidToken):
        read_open(KEYS, rubbish)
    with pytest.raises(InvalidToken):
        read_click(KEYS, rubbish)
