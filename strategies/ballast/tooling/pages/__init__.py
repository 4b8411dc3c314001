"""Pages: self-contained HTML files that open offline, in one style.

`page.Page` takes sections of text, tables and charts and writes the file; what a section says is
the business of whoever makes it. HTML is written in `templates/` alone: `rendering.render` fills a
template in, and every value in it is escaped.
"""
