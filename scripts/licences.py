#!/usr/bin/env python3
"""Checks the dependencies: licence, origin, and what the headless program is made of. Exits 1 with a list if one fails."""

import json
import re
import subprocess
import sys

ALLOWED = {
    "MIT", "MIT-0", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause",
    "ISC", "Zlib", "0BSD", "CC0-1.0", "Unlicense", "BSL-1.0", "Unicode-3.0", "Unicode-DFS-2016", "bzip2-1.0.6",
    "CDLA-Permissive-2.0", "OFL-1.1", "Ubuntu-font-1.0", "WTFPL",
}
# Weaker than permissive, taken as they are and unchanged: (package, licence).
EXCEPTIONS = {("smartstring", "MPL-2.0+")}
# Window, panel and GPU crates that the headless program must not contain.
NOT_HEADLESS = {"winit", "wgpu", "wgpu-core", "egui", "bevy_render", "bevy_winit", "bevy_window", "bevy_egui", "x11rb"}


def cargo(*args):
    return subprocess.run(["cargo", *args], check=True, capture_output=True, text=True).stdout


def allowed(expression):
    """Whether an SPDX expression can be met with allowed licences alone."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def disjunction(i):
        value, i = conjunction(i)
        while i < len(tokens) and tokens[i] == "OR":
            other, i = conjunction(i + 1)
            value = value or other
        return value, i

    def conjunction(i):
        value, i = atom(i)
        while i < len(tokens) and tokens[i] == "AND":
            other, i = atom(i + 1)
            value = value and other
        return value, i

    def atom(i):
        if tokens[i] == "(":
            value, i = disjunction(i + 1)
            return value, i + 1
        name, i = tokens[i], i + 1
        if i + 1 < len(tokens) and tokens[i] == "WITH":
            name, i = f"{name} WITH {tokens[i + 1]}", i + 2
        return name in ALLOWED, i

    return disjunction(0)[0]


def main():
    packages = json.loads(cargo("metadata", "--format-version", "1", "--locked"))["packages"]
    problems = []
    for package in sorted(packages, key=lambda p: (p["name"], p["version"])):
        who = f"{package['name']} {package['version']}"
        licence = package["license"]
        if not licence:
            problems.append(f"{who}: states no licence")
        elif not allowed(licence) and (package["name"], licence) not in EXCEPTIONS:
            problems.append(f"{who}: licence {licence} is not allowed")
        if package["source"] and not package["source"].startswith("registry+"):
            problems.append(f"{who}: does not come from the registry")
    tree = cargo("tree", "--locked", "--no-default-features", "--edges", "normal", "--prefix", "none")
    headless = {line.split()[0] for line in tree.splitlines() if line.strip()}
    problems += [f"{name}: is part of the headless program" for name in sorted(headless & NOT_HEADLESS)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"licences: {len(packages)} packages, all allowed; {len(headless)} in the headless program, no window code")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
