#!/usr/bin/env bash
# Alerts into Alerta (https://alerta.io) on PostgreSQL, then into Yagura, on the same machine in the same run.
# README.md beside this file says what is compared and what is not.
#
#   docs/benchmarks/peer-ingest.sh [ALERTS]        2,000 unless told
#
# Needs python3 with venv, pip, PostgreSQL 15 or newer in /usr/lib/postgresql, and a built `yagura` on the path or in
# $YAGURA. Everything else is made in a new folder and removed at the end.
set -euo pipefail

alerts=${1:-2000}
yagura=${YAGURA:-yagura}
"$yagura" --version >/dev/null || { echo "there is no yagura: build it, then set YAGURA to the program" >&2; exit 1; }
programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
work=$(mktemp -d)
database="" server=""

# Stops by number what this script started, waits for it, and leaves nothing behind.
cleanup() {
  for process in $server $database; do
    kill -INT "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap cleanup EXIT

# Tries a command ten times a second for half a minute.
until_ready() {
  for _ in $(seq 300); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  echo "not ready after 30 s: $*" >&2
  tail -n 20 "$work"/*.log >&2
  return 1
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# PostgreSQL refuses to run as root.
as_postgres=()
mkdir "$work/postgres"
if [ "$(id -u)" = 0 ]; then
  as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  chmod 711 "$work"
  chown postgres:postgres "$work/postgres"
fi

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check alerta-server==9.1.0 psycopg2-binary gunicorn

# As it comes, with full synchronous commits: so does ours.
database_port=$(free_port)
cd "$work/postgres"
"${as_postgres[@]}" "$programs/initdb" -D "$work/postgres/data" -U postgres -A trust -E UTF8 --locale=C >"$work/initdb.log"
"${as_postgres[@]}" "$programs/postgres" -D "$work/postgres/data" -p "$database_port" -c listen_addresses=127.0.0.1 \
  -c unix_socket_directories="$work/postgres" >"$work/postgres.log" 2>&1 &
database=$!
until_ready "$programs/pg_isready" -h 127.0.0.1 -p "$database_port"
address=postgresql://postgres@127.0.0.1:$database_port/postgres

server_port=$(free_port)
DATABASE_URL=$address AUTH_REQUIRED=False "$work/venv/bin/gunicorn" --preload --workers 2 --threads 2 --log-level warning \
  --bind "127.0.0.1:$server_port" 'alerta:create_app()' >"$work/alerta.log" 2>&1 &
server=$!

cat >"$work/post.py" <<'PYTHON'
"""Posts distinct alerts and says what the server and its database spent on them. Our own time is not counted."""
import http.client, json, os, sys, time
from concurrent.futures import ThreadPoolExecutor

way, count, port, *roots = sys.argv[1], *map(int, sys.argv[2:])
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
CLIENTS, BATCH = 4, 100


def spent_ms():
    """User and system time of the trees of processes, ended children included."""
    total, queue = 0, list(roots)
    while queue:
        process = queue.pop()
        try:
            with open(f"/proc/{process}/stat") as file:
                total += sum(map(int, file.read().rsplit(")", 1)[1].split()[11:15]))
            with open(f"/proc/{process}/task/{process}/children") as file:
                queue += map(int, file.read().split())
        except FileNotFoundError:
            pass  # It ended between the two looks; its parent has its time now.
    return total * TICK_MS


def one(n):
    return "/alert", {
        "resource": f"PC-{n:06}", "event": f"threat-{n}", "environment": "Production", "severity": "major",
        "service": ["Endpoint"], "group": "Workstations", "value": "not mitigated", "origin": "bench",
        "text": f"sample-{n}.exe was found on PC-{n:06}", "tags": ["T1486", "T1490"],
        "attributes": {"sha256": f"{n:064x}", "path": f"C:\\Users\\u\\Downloads\\sample-{n}.exe", "user": "BENCH\\user"},
    }


def many(first):
    return "/webhooks/prometheus", {"externalURL": "http://bench.example", "alerts": [
        {
            "status": "firing", "startsAt": "2026-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://bench.example/graph",
            "labels": {"alertname": f"batch-threat-{n}", "instance": f"PC-{n:06}", "severity": "major",
                       "environment": "Production", "service": "Endpoint", "sha256": f"{n:064x}"},
            "annotations": {"summary": f"sample-{n}.exe was found on PC-{n:06}", "value": "not mitigated"},
        } for n in range(first, min(first + BATCH, count))
    ]}


requests = [one(n) for n in range(count)] if way == "single" else [many(n) for n in range(0, count, BATCH)]
requests = [(path, json.dumps(body)) for path, body in requests]


def post(share):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for path, body in share:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 201:
            sys.exit(f"refused: {answer.status} {said[:300]}")


before, start = spent_ms(), time.monotonic()
with ThreadPoolExecutor(CLIENTS) as clients:
    list(clients.map(post, [requests[n::CLIENTS] for n in range(CLIENTS)]))
took, spent = time.monotonic() - start, spent_ms() - before
print(f"alerta {way}: {count} items, {spent / count:.3f} CPU-ms each, {count / took:.0f} a second")
PYTHON

until_ready python3 -c "
import http.client
asked = http.client.HTTPConnection('127.0.0.1', $server_port, timeout=5)
asked.request('GET', '/management/healthcheck')
assert asked.getresponse().status == 200"

"$yagura" bench ingest --alerts 20000
for way in single batch; do
  python3 "$work/post.py" "$way" "$alerts" "$server_port" "$server" "$database"
done
"$yagura" bench ingest --alerts 20000

kept=$("$work/venv/bin/python" -c "
import psycopg2
cursor = psycopg2.connect('$address').cursor()
cursor.execute('SELECT count(*) FROM alerts')
print(cursor.fetchone()[0])")
[ "$kept" = $((2 * alerts)) ] || { echo "alerta kept $kept of $((2 * alerts)) alerts" >&2; exit 1; }
