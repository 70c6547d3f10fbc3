"""Write the generated pages of the documentation: `python -m docs.tools` in the root of the checkout."""

from docs.tools.pages import stale_pages

if __name__ == "__main__":
    for path, text in stale_pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"docs: wrote {path}")
