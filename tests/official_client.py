#!/usr/bin/env python3
"""The official Python client against the simulated service.

Usage: official_client.py path/to/plantain     (in an environment with hiapi==0.2.1)

Starts `plantain sim`, drives it with the unchanged client, prints one line per check and "N passed, N failed".
"""

import http.server
import json
import queue
import subprocess
import sys
import threading
import urllib.request

import hiapi

KEY = "sk-official-client"
SECRET = "whsec_official_client_0123456789"
MODEL = "Nano-Banana"
PATIENCE = 60  # seconds, for anything; only reached when something is broken


class Sim:
    """A running `plantain sim`."""

    def __init__(self, binary, *more):
        command = [binary, "sim", "--listen", "127.0.0.1:0", "--key", KEY]
        command += ["--webhook-secret", SECRET, *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        try:
            self.base_url = json.loads(line)["base_url"]
        except (ValueError, KeyError):
            self.process.kill()
            raise SystemExit(f"no ready line from {' '.join(command)}: {line!r}")

    def client(self, key=KEY, **more):
        return hiapi.HiAPI(api_key=key, base_url=self.base_url, webhook_secret=SECRET, **more)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Receiver:
    """Takes callbacks; the first delivery is refused, so that a retry is seen too."""

    def __init__(self):
        arrived = self.arrived = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            refused = False

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                arrived.put((body, dict(self.headers)))
                status = 204 if Handler.refused else 500
                Handler.refused = True
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


def expect(error, call):
    """The error a call must raise."""
    try:
        call()
    except error as raised:
        return raised
    raise AssertionError(f"{error.__name__} was not raised")


def same(got, wanted):
    assert got == wanted, f"{got!r} is not {wanted!r}"


def prompt(text):
    return {"model": MODEL, "input": {"prompt": text}}


def walks_through_all_statuses(sim):
    client = sim.client()
    created = client.tasks.create(**prompt("a red fox in snow [slow]"))
    assert created.task_id.startswith("tk-hiapi-"), created.task_id
    assert not created.idempotent_replay
    seen = []
    task = client.tasks.wait(
        created.task_id,
        poll_interval=0.02,
        timeout=PATIENCE,
        on_update=lambda task: seen.append(task.status),
    )
    order = ["queued", "handling", "archiving", "success"]
    places = [order.index(status) for status in seen]
    same(places, sorted(places))
    assert {"handling", "success"} <= set(seen), seen
    assert task.succeeded and task.completed_at >= task.created_at
    same([output.type for output in task.output], ["image"])
    with urllib.request.urlopen(task.output[0].url, timeout=PATIENCE) as answer:
        assert answer.read(8) == b"\x89PNG\r\n\x1a\n"


def runs_in_one_call(sim):
    task = sim.client().tasks.run(**prompt("a boat"), poll_interval=0.1, timeout=PATIENCE)
    assert task.succeeded and task.output[0].expire_at > task.completed_at


def a_failed_task_raises(sim):
    run = lambda: sim.client().tasks.run(**prompt("[fail]"), poll_interval=0.1, timeout=PATIENCE)
    failed = expect(hiapi.TaskFailed, run)
    same((failed.code, failed.message), ("TASK_FAILED", "upstream rejected the prompt"))


def lists_newest_first(sim):
    client = sim.client()
    ids = [client.tasks.create(**prompt(f"list {n}")).task_id for n in range(3)]
    page = client.tasks.list(page=1, size=3)
    same([task.task_id for task in page.items], ids[::-1])
    same((page.page, page.size), (1, 3))
    assert page.total >= 3
    same(client.tasks.list(size=500).size, 10)


def replays_and_refuses_keys(sim):
    client = sim.client()
    first = client.tasks.create(**prompt("once"), idempotency_key="key-1")
    again = client.tasks.create(**prompt("once"), idempotency_key="key-1")
    same((first.idempotent_replay, again.idempotent_replay), (False, True))
    same(first.task_id, again.task_id)
    other = lambda: client.tasks.create(**prompt("other"), idempotency_key="key-1")
    same(expect(hiapi.IdempotencyKeyMismatchError, other).status, 422)


def survives_a_cut_answer(sim):
    client = sim.client()
    created = client.tasks.create(**prompt("[cut]"), idempotency_key="key-cut")
    assert created.idempotent_replay


def waits_for_a_key_in_process(sim):
    once, patient = sim.client(max_retries=0), sim.client(max_retries=2)
    create = lambda client: client.tasks.create(**prompt("[processing]"), idempotency_key="key")
    expect(hiapi.APIConnectionError, lambda: create(once))
    busy = expect(hiapi.IdempotencyKeyProcessingError, lambda: create(once))
    same(busy.status, 409)
    assert create(patient).idempotent_replay


def maps_errors(sim):
    client = sim.client(max_retries=0)
    create = lambda **body: lambda: client.tasks.create(**body)
    wrong = expect(hiapi.AuthenticationError, lambda: sim.client(key="sk-wrong").tasks.list())
    same(wrong.status, 401)
    unknown = {"model": MODEL, "input": {"prompt": "x", "seed": 1}}
    refused = expect(hiapi.InvalidRequestError, create(**unknown))
    same((refused.status, refused.error_code), (400, "INVALID_REQUEST"))
    same(refused.message, "additional properties 'seed' not allowed")
    missing = expect(hiapi.NotFoundError, lambda: client.tasks.retrieve("tk-hiapi-none"))
    same(missing.status, 404)
    model = expect(hiapi.NotFoundError, create(model="no-model", input={"prompt": "x"}))
    assert "model_not_found" in model.body
    same(expect(hiapi.ServiceUnavailableError, create(**prompt("[busy]"))).status, 503)
    same(expect(hiapi.ModelUnavailableError, create(**prompt("[unavailable]"))).status, 400)
    broke = expect(hiapi.APIError, create(**prompt("[broke]")))
    same((broke.status, broke.error_code), (402, "INSUFFICIENT_QUOTA"))
    same(expect(hiapi.APIError, create(**prompt("[limited]"))).status, 429)
    page = expect(hiapi.APIError, create(**prompt("[html]")))
    same(page.status, 502)
    assert "<html>" in page.body


def retries_what_is_busy(sim):
    assert sim.client().tasks.create(**prompt("[busy] and again")).task_id


def callbacks_verify(sim):
    client, receiver = sim.client(), Receiver()
    created = client.tasks.create(
        **prompt("call back"), callback={"url": receiver.url, "when": "final"}
    )
    bodies = []
    for _ in range(2):
        body, headers = receiver.arrived.get(timeout=PATIENCE)
        task = client.webhooks.verify(body, headers)
        same((task.task_id, task.status), (created.task_id, "success"))
        assert task.output[0].url
        bodies.append(body)
    same(bodies[0], bodies[1])
    forged = body.replace(b"success", b"failure")
    expect(hiapi.WebhookVerificationError, lambda: client.webhooks.verify(forged, headers))
    wrong = lambda: client.webhooks.verify(body, headers, secret="another secret, also long")
    expect(hiapi.WebhookVerificationError, wrong)


def the_allowance_ends(sim):
    client = sim.client(max_retries=0)
    for _ in range(5):
        client.tasks.list(size=1)
    limited = expect(hiapi.APIError, lambda: client.tasks.list(size=1))
    same(limited.status, 429)
    assert "rate_limit_exceeded" in limited.body
    # The client waits as the service tells it to, and gets through.
    sim.client(max_retries=3).tasks.list(size=1)


CHECKS = [
    walks_through_all_statuses,
    runs_in_one_call,
    a_failed_task_raises,
    lists_newest_first,
    replays_and_refuses_keys,
    survives_a_cut_answer,
    maps_errors,
    retries_what_is_busy,
    callbacks_verify,
]


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    binary = sys.argv[1]
    failures = []
    fast = ["--speed", "50", "--rate-limit"]
    groups = [
        (fast + ["0"], CHECKS),
        (fast + ["5"], [the_allowance_ends]),
        (["--speed", "1"], [waits_for_a_key_in_process]),
    ]
    for options, checks in groups:
        sim = Sim(binary, *options)
        try:
            for check in checks:
                name = check.__name__.replace("_", " ")
                try:
                    check(sim)
                    print(f"ok      {name}")
                except Exception as error:  # every failure is reported, the rest goes on
                    failures.append(name)
                    print(f"FAILED  {name}: {type(error).__name__}: {error}")
        finally:
            sim.stop()
    total = sum(len(checks) for _, checks in groups)
    print(f"{total - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
