# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/guide.md: what the page says to type is typed, and what it shows comes out."""

import pathlib
import re

from lib.case import Skip, expect, needs, test

HERE = pathlib.Path(__file__).resolve().parents[2]
PAGE = "guide.md"
PROMPT = "    $ "
SHOWN = "    "


def steps(text):
    """[(line of the page, command, lines that come out)] of the page's blocks."""
    found = []
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if inside and found[-1][1].endswith("\\"):
            begun, command, shown = found.pop()
            found.append((begun, command.removesuffix("\\") + line.strip(), shown))
        elif line.startswith(PROMPT):
            found.append((number, line.removeprefix(PROMPT), []))
            inside = True
        elif inside and line.startswith(SHOWN):
            found[-1][2].append(line.removeprefix(SHOWN))
        else:
            inside = False
    return found


def pattern(lines):
    """What the lines of the page match: see the page's beginning. Blanks count as one."""
    parts = []
    for line in lines:
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
            continue
        words = re.escape(" ".join(line.split())).replace("\\ ", " ")
        parts.append(re.sub(r"\bN\b", r"[1-9]\\d*", words.replace("…", ".*")) + r"\n")
    return re.compile("".join(parts))


def plain(text):
    """What came out, in the same form."""
    return "".join(" ".join(line.split()) + "\n" for line in text.splitlines() if line.strip())


STATISTICS = "/proc/net/tls_stat"


def _counters(text):
    return dict(re.findall(r"^(\w+)\s+(\d+)$", text, re.MULTILINE))


def since(text, before):
    """Counters of tls_stat as they would be had the machine begun with the page: other tests have
    moved them."""
    return re.sub(r"^(\w+) (\d+)$",
                  lambda match: f"{match[1]} {int(match[2]) - int(before.get(match[1], 0))}",
                  text, flags=re.MULTILINE)


def _tidy(env):
    """What the end of the page does, for a test that ends before."""
    env.local.run("pkill", "-x", "openssl", check=False)
    env.local.run("pkill", "-x", "tail", check=False)
    for host in env.hosts:
        host.run("ethtool", "-K", host.nic.name, "tls-hw-rx-offload", "off")


@test("guide/page")
@needs("lab", "driver:mlx5_core", "openssl-ktls", "tls-tx", "tls-rx", "local-tool:mstflint")
def page(env):
    """Every command of docs/guide.md, in order."""
    if env.local.run("test", "-e", "/proc/config.gz", check=False).rc:
        raise Skip("the page is for the lab's own kernel, which shows its configuration")
    text = next(p for p in (HERE / PAGE, HERE.parent / "docs" / PAGE) if p.exists())
    todo = steps(text.read_text(encoding="utf-8"))
    expect(len(todo) > 20, f"{text} has {len(todo)} commands")
    env.cleanup.callback(_tidy, env)
    before = _counters(env.local.read(STATISTICS))
    with env.local.directory() as folder:
        for number, command, shown in todo:
            # what stays in the background keeps a file of its own open, not a pipe of ours
            place = f"{folder}/{number}"
            env.local.run("sh", "-c", f"exec < /dev/null > {place} 2>&1\n{command}", check=False)
            got = plain(env.local.read(place))
            if STATISTICS in command:
                got = since(got, before)
            expect(pattern(shown).fullmatch(got),
                   f"{PAGE}:{number}: $ {command}\nexpected:\n" + "\n".join(shown) +
                   f"\ngot:\n{got}")
