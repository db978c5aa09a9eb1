r"""LaTeX in records: MathML on pages, plain characters elsewhere, and never markup of others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from selectolax.lexbor import LexborHTMLParser

from content_sync.pages.maths import with_mathml, without_latex


@pytest.mark.parametrize(
    ("latex", "plain"),
    [
        (r"Growth of $\alpha$-$\mathrm{Ga_2O_3}$", "Growth of α-Ga₂O₃"),
        ("Fewer than $10^{-9}$ faults", "Fewer than 10⁻⁹ faults"),
        (r"The ratio \(\frac{a}{b}\)", "The ratio a/b"),
        (r"Over $\sqrt{x+y}$ and $x^{a+b}$", "Over √(x+y) and x^a+b"),
        ("It costs $5 and $10 a year", "It costs $5 and $10 a year"),
        ("No dollar at all", "No dollar at all"),
        (r"Not $\left( closed$ at all", r"Not $\left( closed$ at all"),
    ],
)
def test_latex_becomes_plain_characters_where_it_can(latex: str, plain: str) -> None:
    assert without_latex(latex) == plain


def test_latex_becomes_mathml_and_the_words_around_it_are_escaped() -> None:
    shown = with_mathml(r"a < b & $\alpha_1$")
    assert isinstance(shown, Markup)
    assert shown.startswith("a &lt; b &amp; <math")
    assert "<msub><mi>α</mi><mn>1</mn></msub>" in shown


def test_text_without_maths_is_left_for_the_template_to_escape() -> None:
    shown = with_mathml("a < b")
    assert shown == "a < b"
    assert not isinstance(shown, Markup)


@pytest.mark.parametrize(
    "attack",
    [
        r"$\text{<script>alert(1)</script>}$",
        r"$\text{<img src=x onerror=alert(1)>}$",
        r"$\href{javascript:alert(1)}{x}$",
        r"$\style{background:url(//x)}{y}$",
        r"$\class{evil}{x}$",
        r"$\text{&lt;script&gt;}$",
        r"<script>$x$</script>",
        r"$\text{]]><script>}$",
    ],
)
def test_nothing_but_mathml_comes_out(attack: str) -> None:
    page = LexborHTMLParser(f"<body><p>{with_mathml(attack)}</p></body>")
    assert not page.css("script, img, a")
    for element in page.css("*"):
        assert not {"href", "style", "class", "onerror", "src"} & set(element.attributes)


@given(st.text(alphabet=r"$\{}()<>&;ab_^1 ", max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    without_latex(text)
    shown = with_mathml(text)
    if isinstance(shown, Markup):
        allowed = {"math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "msub", "msup", "msubsup"}
        allowed |= {"mfrac", "msqrt", "mroot", "mover", "munder", "munderover", "mtable"}
        page = LexborHTMLParser(f"<body><p id=x>{shown}</p></body>")
        assert {e.tag for e in page.css("#x *")} <= allowed | {"mtr", "mtd", "mstyle"}
