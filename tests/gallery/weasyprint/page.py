import flask
import weasyprint

app = flask.Flask(__name__)


@app.get("/report.pdf")
def report():
    html = flask.render_template_string("<h1>{{ title }}</h1><p>Größe: 5 €", title="A report")
    pdf = weasyprint.HTML(string=html).write_pdf(pdf_variant="pdf/a-3u", uncompressed_pdf=True)
    return flask.Response(pdf, mimetype="application/pdf")
