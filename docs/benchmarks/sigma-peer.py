#!/usr/bin/env python3
"""Runs the same Sigma rules over the same events with pySigma's SQLite backend, and compares.

The peer shares nothing with our engine: it flattens the events itself, its own pipelines (Sysmon, Windows audit, Windows logs) route and
rename, and SQLite matches. See sigma-eval.md for how to run it.

  sigma-peer.py compare DATA HITS   every rule on every event; HITS is what `sigma_peer hits DATA` printed
  sigma-peer.py bench DATA RECORDS  process rules on the benchmark's events; RECORDS is what `sigma_peer records DATA` printed
"""
import collections, gzip, json, pathlib, re, sqlite3, sys, tarfile, time

import evtx
from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.pipelines.sysmon import sysmon_pipeline
from sigma.pipelines.windows import windows_audit_pipeline, windows_logsource_pipeline

FOLDERS = ["sigma-regression", "otrf", "evtx-to-mitre", "evtx-background"]


def inner(value):
    return value["#text"] if isinstance(value, dict) and "#text" in value else value


def text(value):
    value = inner(value)
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return value if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def flat(record):
    if "Event" not in record:
        fields = {k: text(v) for k, v in record.items()}
        if "SourceName" in fields:
            fields.setdefault("Provider_Name", fields["SourceName"])
        return fields
    event, fields = record["Event"], {}
    data = event.get("EventData")
    if isinstance(data, dict):
        fields.update({k: text(v) for k, v in data.items() if not k.startswith("#")})
    for part in (event.get("UserData") or {}).values():
        if isinstance(part, dict):
            fields.update({k: text(v) for k, v in part.items() if not k.startswith("#")})
    system = event["System"]
    fields.update({k: text(system[k]) for k in ("Channel", "EventID", "Computer", "Level") if k in system})
    fields["Provider_Name"] = system["Provider"]["#attributes"].get("Name")
    return fields


def read(path):
    if path.suffix == ".evtx":
        for record in evtx.PyEvtxParser(str(path)).records_json():
            yield json.loads(record["data"])
        return
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                yield from record["events"] if "events" in record else [record]


def events(data):
    for folder in FOLDERS:
        here = data / "telemetry" / folder
        for path in sorted(here.iterdir()) if here.is_dir() else []:
            if path.name.endswith((".jsonl", ".jsonl.gz", ".evtx")):
                for number, record in enumerate(read(path)):
                    yield f"{folder}/{path.name}", number, record


def rules(data):
    for archive in sorted((data / "rules/sigma").glob("*.tar.gz")):
        with tarfile.open(archive) as tar:
            for member in sorted(tar.getmembers(), key=lambda m: m.name):
                if member.name.endswith(".yml"):
                    yield member.name, tar.extractfile(member).read().decode()


def database(rows):
    """One table as Zircolite lays it out: a text column per field, compared without case."""
    db = sqlite3.connect(":memory:")
    db.create_function("REGEXP", 2, lambda p, s: s is not None and re.search(p, str(s)) is not None, deterministic=True)
    columns, names = {}, []
    for row in rows:
        for name in row:
            if name.lower() not in columns:
                columns[name.lower()] = len(columns)
                names.append(name)
    quoted = ", ".join('"' + n.replace('"', "") + '" TEXT COLLATE NOCASE' for n in names)
    db.execute(f"CREATE TABLE logs (place INTEGER PRIMARY KEY, {quoted})")
    for place, row in enumerate(rows):
        filled = [(n, v) for n, v in row.items() if v is not None]
        line, seen = {}, set()
        for n, v in filled:
            line.setdefault(names[columns[n.lower()]], v)
        cols = ", ".join('"' + n.replace('"', "") + '"' for n in line)
        db.execute(f"INSERT INTO logs (place, {cols}) VALUES ({','.join('?' * (len(line) + 1))})", [place, *line.values()])
    db.execute("CREATE INDEX by_source ON logs (Channel, EventID)")
    return db


def queries(data, only=None):
    """SQL of every Windows rule: (rule id, title, sql). A rule of a category is asked of Sysmon's and of the audit's events."""
    made, failed = [], []
    for name, source in rules(data):
        rule = SigmaCollection.from_yaml(source).rules[0]
        if rule.logsource.product not in (None, "windows") or (only and rule.logsource.category != only):
            continue
        pipelines = [sysmon_pipeline() + windows_logsource_pipeline()] if only or rule.logsource.category else [windows_logsource_pipeline()]
        if not only and rule.logsource.category in ("process_creation", "registry_set", "registry_event"):
            pipelines.append(windows_audit_pipeline() + windows_logsource_pipeline())
        for pipeline in pipelines:
            try:
                for sql in sqliteBackend(pipeline).convert(SigmaCollection.from_yaml(source)):
                    made.append((str(rule.id), rule.title, sql.replace("<TABLE_NAME>", "logs").replace("SELECT *", "SELECT place")))
            except Exception as error:  # noqa: BLE001 - a rule the peer cannot write is named, not hidden
                failed.append((str(rule.id), name, f"{type(error).__name__}: {error}"))
    return made, failed


def ask(db, sql):
    while True:
        try:
            return [row[0] for row in db.execute(sql)]
        except sqlite3.OperationalError as error:
            missing = re.match(r"no such column: (.+)", str(error))
            if not missing:
                raise
            column = missing[1].strip('"`')
            db.execute(f'ALTER TABLE logs ADD COLUMN "{column}" TEXT COLLATE NOCASE')


def compare(data, hits):
    keys, rows = [], []
    for file, number, record in events(data):
        keys.append((file, number))
        rows.append(flat(record))
    db = database(rows)
    made, failed = queries(data)
    theirs, broken = set(), []
    for rule, title, sql in made:
        try:
            theirs.update((*keys[place], rule) for place in ask(db, sql))
        except sqlite3.Error as error:
            broken.append((rule, title, str(error)))
    ours = set()
    for line in open(hits, encoding="utf-8"):
        file, number, rule = line.rstrip("\n").split("\t")
        ours.add((file, int(number), rule))
    not_asked = {rule for rule, *_ in failed + broken}
    titles = {rule: title for rule, title, _ in made}
    print(json.dumps({"events": len(keys), "queries": len(made), "peer_refused": len(failed), "peer_failed": len(broken),
                      "ours": len(ours), "theirs": len(theirs), "both": len(ours & theirs)}))
    for name, difference in (("only ours", ours - theirs), ("only theirs", theirs - ours)):
        per_rule = collections.Counter(rule for *_, rule in difference)
        print(f"{name}: {len(difference)} hits, {len(per_rule)} rules")
        for rule, times in per_rule.most_common():
            where = min((f, n) for f, n, r in difference if r == rule)
            note = " (the peer could not ask it)" if rule in not_asked else ""
            print(f"  {times:5} {rule} {titles.get(rule, '?')}{note}, first {where[0]}:{where[1]}")
    for rule, name, why in failed + broken:
        print(f"  peer: {rule} {name}: {why}")


def bench(data, records):
    rows = [flat(json.loads(line)) for line in open(records, encoding="utf-8")]
    start = time.process_time()
    made, failed = queries(data, only="process_creation")
    loaded = time.process_time() - start
    start = time.process_time()
    db = database(rows)
    mapped = time.process_time() - start
    start = time.process_time()
    hits = sum(len(set(ask(db, sql))) for _, _, sql in made)
    matched = time.process_time() - start
    print(json.dumps({"rules": len(made), "refused": len(failed), "events": len(rows), "hits": hits, "load_ms": round(loaded * 1000),
                      "map_us_per_event": round(mapped * 1e6 / len(rows), 2), "match_us_per_event": round(matched * 1e6 / len(rows), 2)}))


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("compare", "bench"):
        sys.exit(__doc__)
    {"compare": compare, "bench": bench}[sys.argv[1]](pathlib.Path(sys.argv[2]), sys.argv[3])
