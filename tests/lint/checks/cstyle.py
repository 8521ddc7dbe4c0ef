# SPDX-License-Identifier: GPL-2.0-or-later
"""C is written as QEMU writes it: braces, blanks, comments, declarations

What is looked at is text without comments and strings, line by line. Preprocessor lines are left
alone, for a macro may be half of anything.
"""

import re

import source
from tree import Break, Finding

RULES = {
    "comment": "comments are /* … */",
    "keyword": "a blank between if, for, while, switch, return and what follows",
    "call": "no blank between a function's name and its arguments",
    "braces": "if, else, for, while and do have braces",
    "brace": "{ ends the line of its if, else, for, while, do or switch, and begins a function's",
    "operator": "blanks around binary operators, behind commas, before {",
    "unary": "no blank behind a unary operator, or before a semicolon or a comma",
    "star": "a pointer's * is written at the name",
    "parentheses": "no blank inside parentheses and square brackets",
    "statement": "one statement on a line",
    "declaration": "declarations are at the start of their block",
    "void": "a function without arguments takes (void)",
    "type": "uint8_t and its like, unsigned: not u8, uint, u_int8_t, unsigned int",
}
KEYWORDS = r"if|for|while|switch"
LINES = (       # (rule, pattern, what is wrong)
    ("keyword", rf"\b(?:{KEYWORDS})\(", "no blank behind the keyword, expected one"),
    ("keyword", r"\breturn\(", "return(x), expected return x"),
    ("call", r"\b(?!(?:if|for|while|switch|return|case|sizeof|int|void|char|bool|else|unsigned)\b)"
             r"[a-z_]\w* \((?![*^])", "a blank before the arguments, expected none"),

    ("operator", rf"^\s*(?:}} else )?(?:{KEYWORDS})\b.*\)\{{", "no blank before {, expected one"),
    ("operator", r"\b(?:else|do)\{|\}(?:else|while)\b", "no blank beside the brace, expected one"),
    ("operator", r",(?=[^\s\])}])", "no blank behind the comma, expected one"),
    ("operator", r"[\w\])](?:==|!=|<=|>=|&&|\|\||\+=|-=|\*=|/=|%=|&=|\|=|\^=|<<=|>>=|<<|>>)",
     "no blank before the operator, expected one"),
    ("operator", r"(?:==|!=|<=|>=|&&|\|\||\+=|-=|\*=|/=|%=|&=|\|=|\^=|<<|>>)[\w(~!*&\"'-]",
     "no blank behind the operator, expected one"),
    ("operator", r"[\w\])](?:\+(?!\+)|(?<!\d[pe])-(?![->])|/|%|\||\^|\?)[\w(]",
     "no blanks around the operator, expected some"),
    ("operator", r"[\w\])]=(?!=)|(?<![=!<>+\-*/%&|^])=[\w(\"'&*!~-]",
     "no blanks around =, expected some"),
    ("operator", r"[\w\]][*&]\w", "no blanks around the operator, expected some"),
    ("operator", r"[\w\])](?:<|>)(?=[\w(])|\w<$", "no blanks around the operator, expected some"),
    ("unary", r"(?<=[(,=] )!\s|\(!\s|(?<=\S)\s+;(?!\S)|\S\s+,", "a blank too many, expected none"),
    ("star", r"\w\*+ +\w", "the * is at the type, expected it at the name"),
    ("parentheses", r"\(\s+\S|[^\s;]\s+\)|\[ +\S|\S +\]",
     "a blank inside the parentheses, expected none"),
    ("statement", r"^(?!typedef).*;\s*\S", "several statements on a line, expected one"),
    ("void", r"^[\w *]*\b\w+\(\)$|^\w[\w *]*\b\w+\(\);$", "(), expected (void)"),
    ("type", r"\b(?:u8|u16|u32|u64|uint|u_int\d+_t|unsigned (?:int|long int|short int))\b",
     "not a type of this tree, expected uint8_t, unsigned …"),
)
DECLARATION = re.compile(
    r"(?:static|const|volatile|struct|enum|union|unsigned|signed|typedef|extern)\b"
    r"|g_auto\w*(?:\([^)]*\))?\s"
    r"|[A-Za-z_]\w*\s+\**(?:const\s+)?[A-Za-z_]\w*\s*(?:\[.*\]\s*)?(?:=|;|,|$)"
    r"|[A-Z][A-Z0-9_]+\s+[A-Za-z_]\w*\s+\**\w+"
    r"|[A-Za-z_]\w*\s+\(\*\w+\)")
LABEL = re.compile(r"\w+:$")
MACRO = re.compile(r"[A-Z_0-9]+\(")         # may declare or do something, who knows
NO_TYPE = re.compile(r"(?:return|goto|else|case|default|break|continue|do|if|for|while|switch)\b")

def check(tree, paths):
    """Everything that is written otherwise."""
    for path in paths:
        if tree.kind(path) != "c":
            continue
        text = tree.text(path)
        for line, comment in source.comments(text):
            if comment.startswith("//"):
                yield Finding("comment", path, line, "a // comment, expected /* … */")
        lines = _plain(source.code(text))
        yield from _by_line(path, lines)
        yield from _braces(path, lines)
        yield from _declarations(path, lines)

def _plain(code):
    """Lines of code, those of the preprocessor emptied."""
    lines, going_on = [], False
    for line in code.split("\n"):
        directive = going_on or line.lstrip().startswith("#")
        going_on = directive and line.endswith("\\")
        lines.append("#" if line.startswith("#else") else
                     "" if directive else line.rstrip())
    return lines

def _by_line(path, lines):
    bare_lines = _without_heads(lines)
    for number, (line, bare) in enumerate(zip(lines, bare_lines), 1):
        for rule, pattern, text in LINES:
            if re.search(pattern, bare if rule == "statement" else line.lstrip()
                                  if rule == "unary" else line):
                yield Finding(rule, path, number, text)

def _without_heads(lines):
    """The lines without what is in the parentheses of for: its semicolons end no statement."""
    out = list(lines)
    for at, line in enumerate(lines):
        match = re.search(r"\bfor \(", line)
        end = match and _end_of_condition(lines, at, match.end() - 1)
        for number in range(at, end[0] + 1) if end else ():
            first = match.end() if number == at else 0
            last = end[1] - 1 if number == end[0] else len(lines[number])
            out[number] = out[number][:first] + " " * (last - first) + out[number][last:]
    return out


def _end_of_condition(lines, at, column):
    """(line, column) behind the parenthesis that closes the one that opens there, or None."""
    depth = 0
    for number in range(at, min(at + 40, len(lines))):
        line = lines[number]
        for place in range(column if number == at else 0, len(line)):
            depth += (line[place] == "(") - (line[place] == ")")
            if depth == 0 and line[place] == ")":
                return number, place + 1
    return None

def _braces(path, lines):
    """Control statements without braces, or with the brace in another line."""
    for at, line in enumerate(lines):
        for match in re.finditer(rf"\b({KEYWORDS}) ?\(|\b(else|do)\b(?! if\b)|\b\w+_FOREACH\w* ?\(",
                                 line):
            word = match[1] or match[2] or "FOREACH"
            end = (at, match.end())
            if not match[2]:
                end = _end_of_condition(lines, at, match.end() - 1)
            if end is None:
                continue
            rest = lines[end[0]][end[1]:].strip()
            if word == "while" and rest == ";":
                continue                # of do … while
            follows = rest or next(
                (text.strip() for text in lines[end[0] + 1:] if text.strip()), "")
            if not follows.startswith("{"):
                yield Finding("braces", path, at + 1, f"{word} without braces, expected braces")
            elif not rest:
                yield Finding("brace", path, end[0] + 2,
                              f"{{ on a line of its own, expected it behind the {word}")
        if re.match(r"\s*(else|while \(.*\);)", line) and at and lines[at - 1].strip() == "}":
            if line.strip().startswith("else"):
                yield Finding("brace", path, at + 1, "else on a line of its own, expected } else")
        if re.match(r"[A-Za-z_].*\) {$", line) and not re.search(r"\b(struct|enum|union|=)", line):
            yield Finding("brace", path, at + 1,
                          "{ behind the function's head, expected it on the next line")

def _declarations(path, lines):
    """Declarations behind a statement of their block."""
    depth, seen, whole = 0, {}, True
    inside = False
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if line.startswith("{"):
            inside, depth, seen, whole = True, 1, {1: False}, True
            continue
        if line.startswith("}"):
            inside = False
        if not inside or not text:
            continue
        if whole and depth and not text.startswith("}"):
            is_declaration = DECLARATION.match(text) and not NO_TYPE.match(text)
            if text == "#" or text.startswith("case ") or LABEL.match(text):
                seen[depth] = False
            elif not is_declaration and not MACRO.match(text):
                seen[depth] = True
            elif is_declaration and seen.get(depth):
                yield Finding("declaration", path, number,
                              "a declaration behind statements, expected it at the block's start")
        for char in text:
            if char == "{":
                depth += 1
                seen[depth] = False
            elif char == "}":
                depth -= 1
        whole = (text.endswith((";", "{", "}")) or text == "#"
                 or (text.endswith(":") and (text.startswith("case ") or bool(LABEL.match(text)))))

def _in_function(text):
    return f"int broken(int x, int *p)\n{{\n{text}\n}}\n"

def breaks(_tree):
    """Each rule, by the ways it is usually broken."""
    for rule, text, message in (
            ("comment", "    return x;     // why", ":3: a // comment"),
            ("keyword", "    if(x) {\n    }\n", ":3: no blank behind the keyword"),
            ("keyword", "    return(x);", ":3: return(x)"),
            ("call", "    exit (x);", ":3: a blank before the arguments"),
            ("braces", "    if (x)\n        return 1;\n", ":3: if without braces"),
            ("braces", "    if (x) {\n        x++;\n    } else\n        x--;\n",
             ":5: else without braces"),
            ("braces", "    for (;;)\n        x++;\n", ":3: for without braces"),
            ("brace", "    if (x)\n    {\n        x++;\n    }\n", ":4: { on a line of its own"),
            ("brace", "    if (x) {\n    }\n    else {\n    }\n", ":5: else on a line of its own"),
            ("operator", "    x = x+1;", ":3: no blanks around the operator"),
            ("operator", "    x=1;", ":3: no blanks around ="),
            ("operator", "    x = x &&*p;", ":3: no blank behind the operator"),
            ("operator", "    exit(x,1);", ":3: no blank behind the comma"),
            ("operator", "    if (x){\n    }\n", ":3: no blank before {"),
            ("unary", "    x = x ;", ":3: a blank too many"),
            ("star", "    char* s = 0;", ":3: the * is at"),
            ("parentheses", "    x = ( x );", ":3: a blank inside the parentheses"),
            ("statement", "    x = 1; x = 2;", ":3: several statements"),
            ("declaration", "    x = 1;\n    int y = x;", ":4: a declaration behind statements"),
            ("declaration", "    x = 1;\n    if (x) {\n        x = 2;\n        Broken *y;\n    }\n",
             ":6: a declaration behind statements"),
            ("type", "    unsigned int y = x;", ":3: not a type of this tree")):
        yield Break(rule, {"hw/net/mlx5/broken.c": _in_function(text)}, message)
    yield Break("brace", {"hw/net/mlx5/broken.c": "int broken(int x) {\n}\n"},
                ":1: { behind the function's head")
    yield Break("void", {"hw/net/mlx5/broken.h": "int broken();\n"}, ":1: (), expected (void)")
