"""The text part of an issue, written from the same tree as its HTML.

Each block brings its own blank line after it, so that a block left out by a condition leaves no gap.
"""

from collections.abc import Iterable

from markdown_it.tree import SyntaxTreeNode

_QUOTES = {"em": "_", "strong": "*", "s": "~"}


def write_text(tree: SyntaxTreeNode) -> str:
    """Write a parsed issue as text; links stand in angle brackets after their words."""
    return _blocks(tree.children, "\n\n").strip("\n")


def _blocks(nodes: Iterable[SyntaxTreeNode], end: str) -> str:
    return "".join(_block(node, end) for node in nodes)


def _block(node: SyntaxTreeNode, end: str) -> str:
    match node.type:
        case "paragraph" if node.meta.get("bare"):
            return _inline(node).replace("\n", "")
        case "heading":
            title = _inline(node)
            return f"{title}\n{('=' if node.tag == 'h1' else '-') * min(len(title), 60)}{end}"
        case "blockquote":
            return _indented(_blocks(node.children, "\n\n"), "> ", "> ") + end
        case "bullet_list" | "ordered_list":
            return _items(node) + end
        case "fence" | "code_block":
            return _indented(node.content, "    ", "    ") + end
        case "table":
            rows = [row for part in node.children for row in part.children]
            lines = [" | ".join(_inline(cell) for cell in row.children) for row in rows]
            return "\n".join([lines[0], "-" * min(len(lines[0]), 60), *lines[1:]]) + end
        case "hr":
            return "-" * 40 + end
        case _:
            return _inline(node) + end


def _items(node: SyntaxTreeNode) -> str:
    blocks = [block for item in node.children for block in item.children]
    tight = all(block.hidden for block in blocks if block.type == "paragraph")
    end = "\n" if tight else "\n\n"
    number = int(node.attrs.get("start", 1))
    items = []
    for position, item in enumerate(node.children, number):
        bullet = f"{position}. " if node.type == "ordered_list" else "- "
        items.append(_indented(_blocks(item.children, end), bullet, " " * len(bullet)))
    return end.join(items)


def _indented(text: str, first: str, others: str) -> str:
    lines = text.strip("\n").split("\n")
    return "\n".join(((others if number else first) + line).rstrip() for number, line in enumerate(lines))


def _inline(node: SyntaxTreeNode) -> str:
    if node.type in ("softbreak", "hardbreak"):
        return "\n"
    if not node.children:
        return node.content
    inner = "".join(_inline(child) for child in node.children)
    if node.type == "link":
        target = str(node.attrs["href"])
        plain = target.removeprefix("mailto:")
        return plain if inner == plain else f"<{plain}>" if node.info == "auto" else f"{inner} <{plain}>"
    quote = _QUOTES.get(node.type, "")
    return f"{quote}{inner}{quote}"
