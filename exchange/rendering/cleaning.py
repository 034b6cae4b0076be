"""The gate: HTML of which no script, no form, no foreign style and no address that would be loaded is left.

All that is rendered goes through it last. The document's policy (documents.py) forbids the same once more.
"""

import re

import nh3

HTML = frozenset(
    "a abbr article aside b bdi bdo blockquote br caption center cite code col colgroup dd del details dfn div dl dt "
    "em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li mark nav ol p pre q rp rt ruby s "
    "samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul "
    "var wbr".split()
)
MATHML = frozenset(
    "math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt "
    "mstyle msub msubsup msup mtable mtd mtext mtr munder munderover".split()
)
WITHOUT_CONTENT = frozenset(
    "applet audio canvas embed frame frameset head iframe math-field noembed noframes noscript object script select "
    "style svg template textarea title video xmp".split()
)
OF_MATHML = set(
    "accent accentunder columnalign columnspan depth display displaystyle fence form height largeop linethickness "
    "lspace mathbackground mathcolor mathvariant maxsize minsize movablelimits notation rowspan rspace scriptlevel "
    "separator stretchy symmetric voffset width".split()
)
ATTRIBUTES: dict[str, set[str]] = {
    "*": {"class", "id", "style", "dir", "lang", "title"},
    "a": {"href", "name", "target"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "ol": {"start", "type", "reversed"},
    "li": {"value"},
    "details": {"open"},
    "time": {"datetime"},
    **{tag: OF_MATHML for tag in MATHML},
}
# What colours and aligns; nothing that places something over something else, and nothing that loads.
STYLES = set(
    "background-color border border-bottom border-collapse border-color border-left border-right border-style "
    "border-top border-width color font-family font-size font-style font-variant font-weight height "
    "justify-items line-height "
    "list-style-type margin margin-bottom margin-left margin-right margin-top max-width min-width padding "
    "padding-bottom padding-left padding-right padding-top text-align text-decoration text-indent vertical-align "
    "white-space width".split()
)
IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp|bmp|svg\+xml)[;,]", re.IGNORECASE)
LINK = re.compile(r"(https?|mailto):|#", re.IGNORECASE)


def clean(html: str) -> str:
    """Return the HTML without all that is not allowed."""
    return nh3.clean(
        html,
        tags=set(HTML | MATHML),
        clean_content_tags=set(WITHOUT_CONTENT),
        attributes=ATTRIBUTES,
        attribute_filter=_filter_attribute,
        filter_style_properties=STYLES,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        return value if IMAGE.match(value.strip()) else None
    if name == "href":
        return value if LINK.match(value.strip()) else None
    if name == "style" and "(" in value:  # url(…), and all else that is more than a word
        return value if re.fullmatch(r"[^(]*(\brgba?\([\d., %]*\)[^(]*)+", value) else None
    return value
