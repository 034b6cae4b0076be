"""Notebooks as people write them, and as nobody should."""

import json

from nbformat import v4, writes

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def notebook(*cells, **metadata):
    """The bytes of a notebook of these cells."""
    made = v4.new_notebook(cells=list(cells), metadata=metadata)
    for number, cell in enumerate(made.cells):
        cell.id = cell.metadata.pop("id", f"cell-{number}")
    return writes(made).encode()


def markdown(text, **metadata):
    return v4.new_markdown_cell(text, metadata=metadata)


def code(text="1", *outputs, **metadata):
    return v4.new_code_cell(text, execution_count=1, outputs=list(outputs), metadata=metadata)


def shown(**formats):
    """An output of these formats: `text_html="…"`."""
    return v4.new_output("display_data", data={name.replace("_", "/", 1): text for name, text in formats.items()})


def printed(text):
    return v4.new_output("stream", text=text)


def hostile_html(address):
    """HTML that tries to run a script and to load from an address in all ways that there are, and to escape."""
    return f"""
<script>fetch("{address}/script")</script><script src="{address}/src.js"></script>
<img src="{address}/img.png" onerror="fetch('{address}/onerror')"><img src=x onerror="fetch('{address}/onerror2')">
<img srcset="{address}/srcset.png 2x"><picture><source srcset="{address}/source.png"><img></picture>
<svg onload="fetch('{address}/onload')"><image href="{address}/svg.png"/><use href="{address}/use.svg#a"/>
<foreignObject><iframe src="{address}/foreign"></iframe></foreignObject>
<script>fetch("{address}/svgscript")</script></svg>
<iframe src="{address}/iframe"></iframe><iframe srcdoc="<script>fetch('{address}/srcdoc')</script>"></iframe>
<object data="{address}/object"></object><embed src="{address}/embed"><video src="{address}/video" autoplay></video>
<audio src="{address}/audio" autoplay></audio><link rel="stylesheet" href="{address}/link.css">
<link rel="prefetch" href="{address}/prefetch"><link rel="dns-prefetch" href="{address}/dns">
<meta http-equiv="refresh" content="0;url={address}/refresh"><base href="{address}/base/">
<style>@import "{address}/import.css"; body {{ background: url({address}/bg.png) }} .notice {{ display: none }}
@font-face {{ font-family: x; src: url({address}/font) }} * {{ font-family: x }}</style>
<div style="position:fixed;inset:0;z-index:99999;background:url({address}/style.png)">cover</div>
<div style="background-image:image-set('{address}/set.png' 1x)">set</div>
<form action="{address}/form"><input autofocus onfocus="fetch('{address}/focus')"><button>send</button></form>
<details open ontoggle="fetch('{address}/toggle')"><summary>x</summary></details>
<math><mtext><style><img src="{address}/mxss.png" onerror="fetch('{address}/mxss')"></style></mtext></math>
<math href="{address}/math"><mi xlink:href="javascript:fetch('{address}/mathlink')">x</mi></math>
<a href="javascript:fetch('{address}/javascript')" id="bad">bad link</a> <a href=" java\tscript:alert(1)">bad</a>
<a href="data:text/html,<script>alert(1)</script>">data</a> <a href="{address}/ping" ping="{address}/pinged">ping</a>
<noscript><img src="{address}/noscript.png"></noscript><template><img src="{address}/template.png"></template>
<body background="{address}/body.png"><table background="{address}/table.png"><tr><td>cell</table>
<input type="image" src="{address}/input.png"><xmp><img src="{address}/xmp.png"></xmp></p></div></main></body></html>
<img src="{address}/after.png">still here
"""


def hostile_notebook(address):
    html = hostile_html(address)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" onload="fetch(\'{address}/svgout\')">'
    svg += f'<script>fetch("{address}/svgscript")</script>'
    svg += f'<image href="{address}/svgimage.png" width="9" height="9"/></svg>'
    return notebook(
        markdown(f"# Start\n\n{html}\n\n![remote]({address}/md.png) [js](javascript:fetch('{address}/md'))"),
        markdown("$\\href{x}{y}$"),
        markdown(f"$\\text{{<img src={address}/tex.png onerror=alert(1)>}}$ and `$code$`"),
        code(
            f"'</code></pre>{html}'",
            shown(text_html=html),
            v4.new_output("display_data", data={"image/svg+xml": svg}),
            v4.new_output("display_data", data={"application/javascript": f"fetch('{address}/js')"}),
            v4.new_output("display_data", data={"image/png": f'x"><img src="{address}/png.png" onerror=alert(1)>'}),
            shown(text_latex=f"$x$<img src={address}/latex.png>"),
            shown(text_markdown=f"![a]({address}/mdout.png)<script>fetch('{address}/mdscript')</script>"),
            printed(f"\x1b[31m<img src={address}/stream.png>\x1b[0m" + "x" * 500_000),
            v4.new_output("error", ename="E", evalue="", traceback=[f"<img src={address}/tb.png onerror=alert(1)>"]),
        ),
        markdown(">" * 500 + " deep " + "- " * 200 + "deep"),
        markdown("The end of it."),
    )  # fmt: skip


def json_of_depth(depth):
    return json.dumps({"cells": []}).encode()[:-1] + b', "metadata": ' + b"[" * depth + b"]" * depth + b"}"
