#!/usr/bin/env python3
"""Fails on every #include between modules of src/ that src/CMakeLists.txt does not allow.

Also fails where the table itself has a cycle, where a folder of src/ is missing from it, and where a module
names a header it may not know: epoll outside aio, SQL client libraries outside store.
"""
import pathlib
import re
import sys

OWNERS = {  # header -> the only modules that may include it
    "sys/epoll.h": {"aio"},
    "soci/": {"store"},
    "sqlite3.h": {"store"},
    "hs/": {"guardrail"},
    "yaml-cpp/": {"config"},
    "openssl/ssl.h": {"net"},
    "prometheus/": {"obs"},
    "re2/": {"router"},
    "CLI/": {"app"},
}


def read_table(path: pathlib.Path) -> dict[str, set[str]]:
    text = re.sub(r"#.*", "", path.read_text())
    features = re.search(r"set\(WEIR_FEATURES ([^)]*)\)", text).group(1).split()
    table = {}
    for name, rest in re.findall(r"weir_allow\((\w+)([^)]*)\)", text):
        table[name] = set(rest.replace("${WEIR_FEATURES}", " ".join(features)).split())
    for a in features:
        for b in features:
            if b in table.get(a, set()):
                sys.exit(f"src/CMakeLists.txt: feature {a} may not include feature {b}")
    return table


def find_cycle(table: dict[str, set[str]]) -> list[str] | None:
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str] | None:
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        for following in sorted(table.get(node, ())):
            cycle = walk(following, path + [node])
            if cycle:
                return cycle
        done.add(node)
        return None

    for module in table:
        cycle = walk(module, [])
        if cycle:
            return cycle
    return None


def main() -> int:
    src = pathlib.Path(sys.argv[1]) / "src"
    table = read_table(src / "CMakeLists.txt")
    cycle = find_cycle(table)
    if cycle:
        sys.exit("cycle in src/CMakeLists.txt: " + " -> ".join(cycle))
    faults, edges = [], 0
    for path in sorted(src.rglob("*")):
        if path.suffix not in {".h", ".cpp"}:
            continue
        module = path.relative_to(src).parts[0]
        if module not in table:
            faults.append(f"{path}: folder {module} is not in src/CMakeLists.txt")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', line)
            if not found:
                continue
            own, system = found.groups()
            if own:
                target = own.split("/")[0]
                edges += 1
                if not (src / own).exists():
                    faults.append(f'{path}:{number}: write includes from src/: "{own}"')
                elif target != module and target not in table[module]:
                    faults.append(f"{path}:{number}: {module} may not include {target}")
            for prefix, owners in OWNERS.items():
                if system and system.startswith(prefix) and module not in owners:
                    faults.append(f"{path}:{number}: only {sorted(owners)} may include <{system}>")
    print("\n".join(faults) or f"{edges} includes within the house, all allowed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
