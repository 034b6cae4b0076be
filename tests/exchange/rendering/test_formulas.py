import pytest

from exchange.rendering.formulas import typeset


@pytest.mark.parametrize(
    "formula", ["$x^2$", r"\(x^2\)", "$$x^2$$", r"\[x^2\]", r"\begin{equation*}x^2\end{equation*}", "$$\nx^2\n$$"]
)
def test_each_delimiter_of_jupyter_makes_a_formula(formula):
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in typeset(f"<p>so {formula} it is</p>")
    assert ('display="block"' in typeset(formula)) is (not formula.startswith(("$x", r"\(")))


@pytest.mark.parametrize(
    "text",
    [
        *("It costs $5 or $6.", r"It costs \$5", "<code>$x$</code>", "<pre>$x$</pre>", "<p>$x</p><p>y$</p>"),
        *("$a\n\nb$", "a $ b $ c"),
    ],
)
def test_what_is_no_formula_stays(text):
    assert typeset(text) == text.replace("\\$", "$")


def test_formula_that_cannot_be_converted_stays_readable():
    assert typeset(r"$\nothing{x < 1}$") == r'<code class="formula">$\nothing{x &lt; 1}$</code>'


def test_signs_in_a_formula_are_text_and_no_tags():
    assert typeset("$a &lt; b$") == "<math><mi>a</mi><mo>&lt;</mo><mi>b</mi></math>"
    assert "<script>" not in typeset(r"$\text{&lt;script&gt;}$")


def test_macros_hold_for_the_rest_of_the_document():
    assert "<mi>ℝ</mi>" in typeset(r"<p>$\newcommand{\Reals}{\mathbb{R}}$</p><p>$\Reals$</p>")


def test_old_arrays_are_aligned():
    assert "<mtable" in typeset(r"\begin{eqnarray} a &=& b \\ c &=& d \end{eqnarray}")


def test_links_elsewhere_open_a_tab_of_their_own():
    assert typeset('<a href="https://x.org">x</a>') == '<a href="https://x.org" target="_blank">x</a>'
    assert typeset('<a href="#top">x</a>') == '<a href="#top">x</a>'


def test_everything_else_is_copied():
    html = '<p class="a">one &amp; two<br/>&lt;b&gt;</p><!-- gone --><img src="data:," alt=\'"\'>'
    assert typeset(html) == html.replace("<!-- gone -->", "")
