# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents have the options of `lab`, and no others"""

import re

import programs
from tree import Break, Finding

RULES = {
    "missing": "each option of each command of lab is in docs/lab.md",
    "stale": "each option that a document names is one of a program of the tree",
    "command": "each command of lab is in docs/lab.md",
}
PAGE = "docs/lab.md"
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
# what the documents tell to give to programs of others
ELSEWHERE = {"--reuse-cmdline", "--initrd", "--signoff", "--leak-check", "--help"}


def check(tree, _paths):
    """What is on one side only."""
    text = tree.text(PAGE)
    documented = set(OPTION.findall(text))
    known = set(ELSEWHERE)
    for command, said in programs.lab_help(tree).items():
        if not re.search(rf"`lab {command}\b", text):
            yield Finding("command", PAGE, 1, f"`lab {command}` is not told about, expected it")
        options = set(re.findall(r"^  (--[a-z][\w-]*)", said, re.MULTILINE))
        known |= options
        for option in sorted(options - documented - ELSEWHERE):
            yield Finding("missing", PAGE, 1, f"{option} of lab {command} is not told about, "
                          "expected it")
    programs_text = "\n".join(tree.text(path) for path in tree.files("python", "shell", "c")
                              if not path.startswith("tests/lint/checks/"))
    for path in tree.files("markdown"):
        for number, line in tree.lines(path):
            for code in re.findall(r"`([^`]*)`", line):
                for option in OPTION.findall(code):
                    if option not in known and not re.search(
                            rf"[\"'| (]{option}[\"'=|) ]", programs_text):
                        yield Finding("stale", path, number, f"no program has {option}, expected "
                                      "an option of one")


def breaks(tree):
    """A page that lacks options, and one that has one too many."""
    text = tree.text(PAGE)
    yield Break("missing", {PAGE: text.replace("--hang-timeout", "--hang")},
                "--hang-timeout of lab run is not told about")
    yield Break("command", {PAGE: text.replace("`lab doctor", "`doctor")},
                "`lab doctor` is not told about")
    yield Break("stale", {"docs/broken.md": "`lab run --nothing`\n"},
                ":1: no program has --nothing")
