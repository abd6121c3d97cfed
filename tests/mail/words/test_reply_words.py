"""What is kept of a reply: the words every server says, and nothing that could be about a person (RULES C7)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.outcome import Stage, outcome_of_reply
from newsletter.mail.words.reply_words import LONGEST, VOCABULARY, kept_of

KARI = "kari.nordmann@example.com"
words = st.sampled_from(sorted(VOCABULARY))
names = st.one_of(words, st.from_regex(r"[^\W\d_]{1,12}", fullmatch=True))
joints = st.sampled_from([".", "-", "+", "_", "1", "77", ""])
local_parts = st.lists(st.tuples(names, joints), min_size=1, max_size=4).map(
    lambda parts: "".join(name + joint for name, joint in parts)
)
domains = st.lists(names, min_size=1, max_size=3).map(".".join)
addresses = st.tuples(local_parts, domains).map("@".join)


def pieces(address: str) -> list[str]:
    """Give the runs of three or more letters before the @."""
    local = address.rpartition("@")[0].lower()
    return [run for run in re.findall(r"[^\W\d_]+", local) if len(run) >= 3]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"5.1.1 <{KARI}>: Recipient address rejected: User unknown", "… recipient address rejected user unknown"),
        ("5.1.1 Kari Nordmann does not work here any longer", "… does not work here any longer"),
        ("5.2.2 Over quota\n5.2.2 see https://mail.example.com/full/kari?u=77", "over quota see …"),
        ("4.7.1 Greylisted, please try again in 300 seconds", "greylisted please try again in … seconds"),
        ("5.7.1 Client host [192.0.2.1] blocked, id 3f2a99c0-user-full", "client host … blocked id …"),
        ("5.7.26 DMARC policy: SPF and DKIM FAILED", "dmarc policy spf and dkim failed"),
        ('"full user"@example.com: no such user', "… no such user"),
        ("Postboks full-av.brev: kari", ""),
        ("5.1.1", ""),
    ],
)
def test_everyday_words_stay_and_all_else_is_left_out(said: str, kept: str) -> None:
    assert kept_of(said, KARI) == kept


def test_a_word_that_stands_in_the_address_is_left_out_too() -> None:
    assert kept_of("mailbox of user is full", "full.user@example.com") == "mailbox of … is …"
    assert kept_of("USER unknown", "user@example.com") == "… unknown"
    assert kept_of("mailbox full", "Box.1@example.com") == "… full"
    assert kept_of("no mailbox of that name", "no@example.com") == "… mailbox of that name"


@given(address=addresses, before=st.lists(words), after=st.text(max_size=60), spelling=st.sampled_from("lut"))
def test_no_piece_of_the_address_survives_whatever_is_said(
    address: str, before: list[str], after: str, spelling: str
) -> None:
    spelled = {"l": address.lower(), "u": address.upper(), "t": address.title()}[spelling]
    local = spelled.rpartition("@")[0]
    told = " ".join([*before, spelled, after, f"<{spelled}>", local, *re.split(r"[\W\d_]+", local)])
    kept = kept_of(told, address)
    assert not [piece for piece in pieces(address) if piece in kept]
    assert local.lower() not in kept.split()


@given(other=addresses, before=st.lists(words, max_size=5), after=st.lists(words, max_size=5))
def test_no_address_survives_whosever_it_is(other: str, before: list[str], after: list[str]) -> None:
    kept = kept_of(" ".join([*before, other, *after]), KARI)
    assert kept == kept_of(" ".join([*before, "@", *after]), KARI)


@given(said=st.text(max_size=5000), address=addresses)
def test_what_is_kept_is_short_and_of_the_vocabulary(said: str, address: str) -> None:
    kept = kept_of(said, address)
    assert len(kept) <= LONGEST
    assert set(kept.split()) <= VOCABULARY | {"…"}
    assert "… …" not in kept


@given(said=st.lists(words, min_size=60))
def test_a_long_reply_is_cut_between_words(said: list[str]) -> None:
    kept = kept_of(" ".join(said), KARI)
    assert len(kept) <= LONGEST
    assert kept.endswith(" …") or len(" ".join(said)) <= LONGEST
    assert set(kept.split()) <= VOCABULARY | {"…"}


def test_a_name_that_is_cut_off_at_the_end_is_no_word() -> None:
    assert kept_of("user " * 399 + "fullname@example.com", KARI).split()[-1] == "…"
    assert "full" not in kept_of("x" * 1995 + " full" + "name", KARI)


def test_an_outcome_keeps_the_words_beside_the_codes() -> None:
    outcome = outcome_of_reply(Stage.RCPT, 550, f"5.1.1 <{KARI}> user unknown", recipient=KARI)
    assert (outcome.code, outcome.enhanced, outcome.stage, outcome.reply) == (550, "5.1.1", "rcpt", "… user unknown")
    assert KARI not in repr(outcome)
