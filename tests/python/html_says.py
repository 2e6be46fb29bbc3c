"""Read pages as a browser does, by the standard's own rules, and print what they are made of as JSON.

usage: html_says.py FILE, which holds a JSON list of pages. A fault that the standard calls a parse error is told as
`fault`; `text` is what a reader without pictures and styles gets.
"""
import json
import sys

import html5lib

HTML = "{http://www.w3.org/1999/xhtml}"
# What starts a line for a reader; all else runs on.
BLOCKS = "article details dd div dl dt footer h1 h2 h3 h4 header li main nav ol p pre section summary table tr ul".split()


def main():
    with open(sys.argv[1], encoding="utf-8") as question:
        pages = json.load(question)
    print(json.dumps([said_of(page) for page in pages]))


def said_of(page):
    parser = html5lib.HTMLParser(strict=True)
    try:
        document = parser.parse(page)
    except html5lib.html5parser.ParseError as error:
        return {"fault": "%s at %s" % (error, parser.errors[-1][0] if parser.errors else "?")}
    elements = [element for element in document.iter() if isinstance(element.tag, str)]
    names = [element.tag.split("}")[-1] for element in elements]
    attributes = [(name, value) for element in elements for name, value in element.attrib.items()]
    title = document.find(HTML + "head/" + HTML + "title").text
    return {
        "fault": None,
        "title": title,
        "language": document.attrib.get("lang"),
        "elements": sorted(set(names)),
        "attributes": sorted({name.split("}")[-1] for name, _ in attributes}),
        "links": sorted({value for name, value in attributes if name.split("}")[-1] in ("href", "src", "action")}),
        "ids": [value for name, value in attributes if name == "id"],
        "headings": [int(name[1]) for name in names if name in ("h1", "h2", "h3", "h4", "h5", "h6")],
        "headers": [element.attrib.get("scope") for element in elements if element.tag == HTML + "th"],
        "policy": [e.attrib["content"] for e in elements if e.attrib.get("http-equiv") == "Content-Security-Policy"],
        "text": text_of(document.find(HTML + "body")),
    }


def text_of(body):
    pieces = []
    collect(body, pieces)
    lines = [" ".join(line.split()) for line in "".join(pieces).split("\n")]
    return "\n".join(line for line in lines if line)


def collect(element, pieces):
    name = element.tag.split("}")[-1] if isinstance(element.tag, str) else ""
    pieces.append("\n" if name in BLOCKS else " " if name in ("td", "th", "span", "b") else "")
    # A line end in the source is a space, but for text that is shown as it stands.
    shown = (lambda text: text) if name == "pre" else (lambda text: " ".join(text.split("\n")))
    pieces.append(shown(element.text or ""))
    for child in element:
        collect(child, pieces)
        pieces.append(shown(child.tail or ""))
    pieces.append("\n" if name in BLOCKS else "")


if __name__ == "__main__":
    main()
