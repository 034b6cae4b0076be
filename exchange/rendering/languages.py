"""The languages whose syntax is highlighted, as Pygments names them."""

# By what a file's name ends in: what teachers hand out and students write. Lexers of other languages are not loaded.
LANGUAGES = {
    ".bash": "bash", ".c": "c", ".cfg": "ini", ".cpp": "cpp", ".cs": "csharp", ".css": "css", ".csv": "text",
    ".go": "go", ".h": "cpp", ".hs": "haskell", ".ini": "ini", ".java": "java", ".jl": "julia", ".js": "javascript",
    ".json": "json", ".kt": "kotlin", ".log": "text", ".m": "matlab", ".md": "markdown", ".ml": "ocaml",
    ".py": "python", ".r": "r", ".rb": "ruby", ".rs": "rust", ".rst": "rst", ".scala": "scala", ".sh": "bash",
    ".sql": "sql", ".tex": "latex", ".toml": "toml", ".ts": "typescript", ".tsv": "text", ".txt": "text", ".xml": "xml",
    ".yaml": "yaml", ".yml": "yaml",
}  # fmt: skip
