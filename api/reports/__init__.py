"""After-action reports as people read them: a page, a file of HTML, Markdown or PDF."""
