"""The little Markdown that the page needs."""


def cell(text: str) -> str:
    return " ".join(str(text).replace("|", "\\|").replace("<", "&lt;").split())


def table(headers: list[str], rows: list[list[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(cell(c) for c in line) + " |" for line in lines) + "\n"


def details(summary: str, lines: list[str]) -> str:
    return "\n".join(["<details>", f"<summary>{summary}</summary>", "", "```sh", *lines, "```", "",
                      "</details>", ""])
