"""Compares what `spots migrate inventory` says of SQL files with PostgreSQL's own parser.

    python3 -m venv oracle && oracle/bin/pip install pglast==8.8
    oracle/bin/python crates/spots-migrate/tests/oracle/compare.py --spots target/debug/spots DIR...

Every `.sql` file below each DIR is cut into statements, each becomes a migration of its own in a
temporary folder, and for each the relations are compared: created, altered, renamed, dropped,
written, and touched in any way. pglast carries libpg_query: the parser of the server itself.

Exit status: 0 no relation was missed, 1 some were, 2 could not tell.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import pglast
from pglast.parser import parse_plpgsql_json, parse_sql_json

ACTIONS = ("creates", "alters", "renames", "drops", "writes", "touches")
RELATIONS = ("table", "view", "materialized view", "sequence", "relation", "foreign table")
# A dropped object of these kinds names its relation before its own name.
PARTS = ("OBJECT_POLICY", "OBJECT_TRIGGER", "OBJECT_RULE", "OBJECT_COLUMN", "OBJECT_TABCONSTRAINT")
WHOLE = ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE")


def is_system(name):
    """The catalogue is there on every server; the inventory leaves it out."""
    return name.startswith(("pg_", "pg_catalog.", "information_schema."))


def name_of(var):
    schema = var.get("schemaname", "public")
    return var["relname"] if schema == "public" else f"{schema}.{var['relname']}"


def name_of_list(node):
    words = [item["String"]["sval"] for item in node["List"]["items"]]
    if len(words) > 1 and words[0] == "public":
        words = words[1:]
    return words


class Facts:
    """What one statement does to relations, by the server's parser."""

    def __init__(self):
        self.found = {action: set() for action in ACTIONS}

    def add(self, action, var):
        self.found[action].add(name_of(var))
        self.found["touches"].add(name_of(var))

    def walk(self, node, ctes=frozenset()):
        if isinstance(node, list):
            for item in node:
                self.walk(item, ctes)
        elif isinstance(node, dict):
            ctes = self.with_clause(node, ctes)
            for key, value in node.items():
                if key == "withClause":
                    continue
                if key == "RangeVar" or (isinstance(value, dict) and "relname" in value):
                    if "schemaname" in value or value["relname"] not in ctes:
                        self.found["touches"].add(name_of(value))
                else:
                    self.statement(key, value)
                    self.walk(value, ctes)

    def with_clause(self, node, ctes):
        """Walks the common table expressions; names them for what follows."""
        clause = node.get("withClause")
        if not clause:
            return ctes
        parts = [part["CommonTableExpr"] for part in clause["ctes"]]
        if clause.get("recursive"):
            ctes = ctes | {part["ctename"] for part in parts}
        for part in parts:
            self.walk(part["ctequery"], ctes)
            ctes = ctes | {part["ctename"]}
        return ctes

    def statement(self, kind, node):
        if kind in ("CreateStmt", "CreateForeignTableStmt"):
            self.add("creates", node.get("relation") or node["base"]["relation"])
        elif kind == "ViewStmt":
            self.add("creates", node["view"])
        elif kind == "CreateTableAsStmt":
            self.add("creates", node["into"]["rel"])
        elif kind == "CreateSeqStmt":
            self.add("creates", node["sequence"])
        elif kind == "AlterTableStmt" and node["objtype"] != "OBJECT_INDEX":
            self.add("alters", node["relation"])
        elif kind == "RenameStmt" and node["renameType"] in WHOLE:
            self.add("renames", node["relation"])
        elif kind in ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"):
            self.add("writes", node["relation"])
        elif kind == "TruncateStmt":
            for relation in node["relations"]:
                self.add("writes", relation["RangeVar"])
        elif kind in ("DropStmt", "CommentStmt"):
            self.named(kind, node)
        elif kind in ("CreateFunctionStmt", "DoStmt"):
            self.body(node)

    def named(self, kind, node):
        """Objects that stand as a list of words."""
        whole = node.get("removeType") or node.get("objtype")
        for item in node.get("objects") or [node.get("object", {})]:
            if "List" not in item:
                continue
            words = name_of_list(item)
            if whole in PARTS:
                words = words[:-1]
            elif whole not in WHOLE:
                continue
            self.found["touches"].add(".".join(words))
            if kind == "DropStmt" and whole in WHOLE:
                self.found["drops"].add(".".join(words))

    def body(self, node):
        """An SQL body; PL/pgSQL is asked for by its statement's text."""
        options = {o["DefElem"]["defname"]: o["DefElem"] for o in node.get("options", node.get("args", []))}
        language = options.get("language", {}).get("arg", {}).get("String", {}).get("sval", "plpgsql")
        text = options.get("as", {}).get("arg", {})
        if language.lower() == "sql" and "List" in text:
            self.sql(text["List"]["items"][0]["String"]["sval"])

    def sql(self, text):
        try:
            self.walk(json.loads(parse_sql_json(text))["stmts"])
        except pglast.parser.ParseError:
            pass

    def plpgsql(self, text):
        """Queries and expressions of a PL/pgSQL body."""
        try:
            tree = json.loads(parse_plpgsql_json(text))
        except (pglast.parser.ParseError, json.JSONDecodeError):
            return
        left = [tree]
        while left:
            node = left.pop()
            if isinstance(node, list):
                left.extend(node)
            elif isinstance(node, dict):
                query = node.get("query")
                if isinstance(query, str):
                    self.expression(query)
                left.extend(node.values())

    def expression(self, query):
        value = query.split(":=", 1)[-1]
        for text in (query, f"SELECT {query}", f"SELECT {value}"):
            try:
                self.walk(json.loads(parse_sql_json(text))["stmts"])
                return
            except pglast.parser.ParseError:
                continue


def oracle(text):
    facts = Facts()
    facts.walk(json.loads(parse_sql_json(text))["stmts"])
    head = text.lower()
    has_body = "function" in head or "procedure" in head or head.lstrip().startswith("do")
    if has_body:
        facts.plpgsql(text)
    return facts.found, has_body


def ours(objects):
    found = {action: set() for action in ACTIONS}
    for action, names in objects.items():
        for shown in names:
            kind = next((k for k in RELATIONS if shown.startswith(k + " ")), None)
            if kind:
                name = shown[len(kind) + 1 :]
                found.setdefault(action, set()).add(name)
                found["touches"].add(name)
    return found


def statements(folder):
    """Every statement that the server's parser takes, with its file."""
    for file in sorted(pathlib.Path(folder).rglob("*.sql")):
        if file.name.endswith(".sqlite.sql"):
            continue
        text = file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        try:
            pieces = pglast.split(text)
        except pglast.parser.ParseError as error:
            print(f"{file}: the server's parser refuses it: {error}", file=sys.stderr)
            continue
        for piece in pieces:
            if piece.strip():
                yield file, piece


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--spots", default="target/debug/spots")
    arguments.add_argument("--extra", action="store_true", help="also list what only spots sees")
    arguments.add_argument("folders", nargs="+")
    options = arguments.parse_args()
    pieces = [piece for folder in options.folders for piece in statements(folder)]
    if not pieces:
        sys.exit(2)
    with tempfile.TemporaryDirectory() as folder:
        for number, (_, piece) in enumerate(pieces):
            pathlib.Path(folder, f"{number:06}_s.sql").write_text(piece + ";\n", encoding="utf-8")
        command = [options.spots, "migrate", "inventory", "--dir", folder]
        command += ["--layout", "supabase", "--dialect", "postgres", "--format", "json"]
        said = subprocess.run(command, capture_output=True, text=True)
    if said.returncode != 0:
        print(said.stderr, file=sys.stderr)
        sys.exit(2)
    inventory = {m["id"]: m["objects"] for m in json.loads(said.stdout)["migrations"]}
    missed = extra = compared = 0
    for number, (file, piece) in enumerate(pieces):
        theirs, has_body = oracle(piece)
        mine = ours(inventory[f"{number:06}_s"])
        for action in ACTIONS:
            if has_body and action != "touches":
                # What a body does is one thing to the inventory: it touches.
                continue
            own = mine["creates"] | theirs["creates"]
            there = {name for name in theirs[action] if not is_system(name)}
            here = mine[action]
            if action != "creates":
                there, here = there - own, here - own
            compared += len(there)
            for name in sorted(there - here):
                missed += 1
                print(f"missed  {action:8} {name}  {file}: {' '.join(piece.split())[:110]}")
            for name in sorted(here - there):
                extra += 1
                if options.extra:
                    print(f"extra   {action:8} {name}  {file}: {' '.join(piece.split())[:110]}")
    print(f"{len(pieces)} statements, {compared} facts: {missed} missed, {extra} seen by spots alone")
    sys.exit(1 if missed else 0)


main()
