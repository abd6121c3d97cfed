"""What is different between two notices, as a reader reads it."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.agreements.notices.diff import Mark, compare, plain

WORDS = st.lists(
    st.sampled_from(["vi", "lagrer", "adressen", "din", "[her](https://example.com)", "**nå**"]), max_size=8
)
TEXT = st.lists(WORDS.map(" ".join), max_size=5).map("\n\n".join)


def changes(old: str, new: str) -> list[tuple[str, str]]:
    """Give each changed paragraph, before and after."""
    return [(each.before, each.after) for each in compare(("Ja", old), ("Ja", new)) if each.changed]


def test_marks_of_markdown_are_not_shown_and_a_link_s_target_is() -> None:
    assert plain("# Hei\n\n**Vi** lagrer\ndet [her](https://example.com).\n\n- en\n- to") == (
        "Hei",
        "Vi lagrer det her (https://example.com).",
        "en",
        "to",
    )


def test_a_changed_word_is_marked_and_a_new_paragraph_moves_nothing_else() -> None:
    old = "Vi lagrer adressen din i ett år.\n\nDu kan klage til Datatilsynet."
    new = "Vi lagrer adressen din i to år.\n\nHelt nytt om noe annet.\n\nDu kan klage til Datatilsynet."
    assert changes(old, new) == [
        ("Vi lagrer adressen din i ett år.", "Vi lagrer adressen din i to år."),
        ("", "Helt nytt om noe annet."),
    ]
    (first, *_rest) = (each for each in compare(("Ja", old), ("Ja", new)) if each.changed)
    assert [(piece.mark, piece.text.strip()) for piece in first.pieces if piece.mark is not Mark.SAME] == [
        (Mark.REMOVED, "ett"),
        (Mark.ADDED, "to"),
    ]
    html = first.as_html("nytt", "tatt ut")
    assert '<del><span class="spoken">[tatt ut: </span>ett' in html
    assert '<ins><span class="spoken">[nytt: </span>to' in html


def test_the_label_counts_and_a_change_of_form_alone_does_not() -> None:
    assert [each.after for each in compare(("Ja", "Hei"), ("Ja takk", "Hei")) if each.changed] == ["Ja takk"]
    assert changes("**Hei** der", "Hei *der*") == []


def test_nothing_in_a_notice_becomes_markup() -> None:
    (_label, paragraph) = compare(("Ja", "a <b>"), ("Ja", "a <script>alert(1)</script>"))
    assert "<script>" not in paragraph.as_html("<i>", "<u>")
    assert "<i>" not in paragraph.as_html("<i>", "<u>")


@given(TEXT, TEXT)
def test_both_notices_can_be_read_from_it(old: str, new: str) -> None:
    """Whatever is marked: without the additions it is the one, without the removals the other."""
    found = compare(("Ja", old), ("Ja", new))
    for text, words in ((old, [each.before for each in found]), (new, [each.after for each in found])):
        assert " ".join(" ".join(words).split()) == " ".join(("Ja", *plain(text))).replace("  ", " ").strip()
