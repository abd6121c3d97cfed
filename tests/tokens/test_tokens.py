"""A token proves that we made it, for one purpose; anything else about it is refused (RULES H5)."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.tokens import InvalidToken, Keyring, payload

OLD = Keyring(b"the root secret of last year, long enough")
NEW = Keyring(b"the root secret of this year, long enough")
ROTATED = Keyring(NEW.root, OLD.root)
TOKEN = NEW.sign("unsubscribe", b"sixteen bytes id")
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.text(max_size=30), st.binary(min_size=1, max_size=100))
def test_what_was_signed_is_read_back(purpose: str, content: bytes) -> None:
    token = NEW.sign(purpose, content)
    assert NEW.read(purpose, token) == content == payload(token)
    assert set(token) <= set(BASE64)


def test_the_same_thing_gets_the_same_token() -> None:
    """A letter that is mailed twice carries the same link (DESIGN §5)."""
    assert NEW.sign("confirm", b"x" * 16) == NEW.sign("confirm", b"x" * 16)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_token_for_one_act_is_worthless_for_another(purpose: str, other: str) -> None:
    if purpose != other:
        with pytest.raises(InvalidToken):
            NEW.read(other, NEW.sign(purpose, b"x"))


def test_a_change_of_any_bit_is_noticed() -> None:
    raw = base64.urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4))
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InvalidToken):
            NEW.read("unsubscribe", base64.urlsafe_b64encode(forged).decode().rstrip("="))


def test_another_character_at_any_place_is_noticed() -> None:
    """Also in the last one, whose lowest bits mean nothing: a link has one spelling."""
    for place in range(len(TOKEN)):
        for character in {*BASE64, "+", "/", "=", " ", "\n", "å"} - {TOKEN[place]}:
            with pytest.raises(InvalidToken):
                NEW.read("unsubscribe", TOKEN[:place] + character + TOKEN[place + 1 :])


@pytest.mark.parametrize("length", range(len(TOKEN)))
def test_a_token_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(InvalidToken):
        NEW.read("unsubscribe", TOKEN[:length])


@pytest.mark.parametrize("addition", ["=", "==", "A", "AA", " ", "\n", "\0", "%3D", "AAAA" * 200])
def test_a_token_with_something_added_is_refused(addition: str) -> None:
    with pytest.raises(InvalidToken):
        NEW.read("unsubscribe", TOKEN + addition)


@given(st.text(max_size=600))
def test_no_text_is_read_by_accident(text: str) -> None:
    with pytest.raises(InvalidToken):
        NEW.read("unsubscribe", text)


def test_links_already_mailed_outlive_a_rotation() -> None:
    mailed = OLD.sign("unsubscribe", b"alice")
    assert ROTATED.read("unsubscribe", mailed) == b"alice"
    assert ROTATED.sign("unsubscribe", b"alice") == NEW.sign("unsubscribe", b"alice") != mailed


def test_links_of_a_secret_that_is_gone_are_refused() -> None:
    with pytest.raises(InvalidToken):
        NEW.read("unsubscribe", OLD.sign("unsubscribe", b"alice"))
    with pytest.raises(InvalidToken):
        OLD.read("unsubscribe", ROTATED.sign("unsubscribe", b"alice"))


def test_a_rotation_does_not_mix_purposes() -> None:
    with pytest.raises(InvalidToken):
        ROTATED.read("confirm", OLD.sign("unsubscribe", b"alice"))


def test_tags_depend_on_secret_purpose_and_content() -> None:
    tags = {ring.tag(purpose, data) for ring in (OLD, NEW) for purpose in ("a", "b") for data in (b"1", b"2")}
    assert len(tags) == 8
    assert {len(tag) for tag in tags} == {32}
    assert ROTATED.tag("a", b"1") == NEW.tag("a", b"1")


def test_links_mailed_by_earlier_versions_are_read() -> None:
    """These very tokens were mailed once: their form may never change."""
    letters, numbers = b"abcdefghijklmnop", bytes(range(16))
    link = "smFiY2RlZmdoaWprbG1ub3A2WwHx-IC96koN9ESKT_p6"
    local_part = "wjqwey3emvtgo2djnjvwy3lon5yji4zsncub5d75me3a"
    pixel = "smFiY2RlZmdoaWprbG1ub3AAAQIDBAUGBwgJCgsMDQ4PI2p-N_NGLACDejsVW-T8ZA"
    assert NEW.read("unsubscribe", link) == NEW.read_from_address("unsubscribe", local_part) == letters
    assert NEW.read("measure/mfrggzdfmztwq2lknnwg23tpoa", pixel) == letters + numbers
    assert (NEW.sign("unsubscribe", letters), NEW.sign_for_address("unsubscribe", letters)) == (link, local_part)


@given(st.binary(max_size=40), st.sampled_from([str.lower, str.upper, str.swapcase]))
def test_a_token_in_an_address_is_read_in_any_case(content: bytes, fold: Callable[[str], str]) -> None:
    assert ROTATED.read_from_address("bounce", fold(NEW.sign_for_address("bounce", content))) == content
    with pytest.raises(InvalidToken):
        ROTATED.read_from_address("bounces", fold(NEW.sign_for_address("bounce", content)))
