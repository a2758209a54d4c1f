"""`nnc serve` beside Flask (waitress) with onnxruntime: one network, the same requests, one after the other.

10 numbers and a category -> 64 relu -> 64 relu -> 1. Every request asks about one row, as JSON; connections stay open.
Every answer is compared with what `nnc predict` says of the row.

    pip install flask==3.1.3 waitress==3.0.2 onnxruntime==1.32.0 numpy
    python serve.py [--nnc target/release/nnc] [--requests 10000] [--clients 32] [--rounds 3]
"""

import argparse
import csv
import json
import multiprocessing
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

NAMES = [f"x{i}" for i in range(10)]
PROGRAM = """data "rows.csv" { input kind one_hot; input x0 x1 x2 x3 x4 x5 x6 x7 x8 x9 standardize; target y standardize }
dense 64 relu
dense 64 relu
dense 1
loss mse
optimizer adam
epochs 3
"""


def flask_server(model, port):
    import numpy
    import onnxruntime
    import waitress
    from flask import Flask, jsonify, request

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options)
    kinds = {i.name: i.type for i in session.get_inputs()}
    app = Flask("peer")

    @app.post("/predict")
    def predict():
        rows = request.get_json()["rows"]
        feed = {}
        for name, kind in kinds.items():
            dtype = object if "string" in kind else numpy.float64 if "double" in kind else numpy.float32
            feed[name] = numpy.array([r[name] for r in rows], dtype=dtype).reshape(-1)
        said = session.run([session.get_outputs()[0].name], feed)[0].reshape(-1)
        return jsonify(rows=[{"row": i + 1, "output": float(x)} for i, x in enumerate(said)])

    waitress.serve(app, host="127.0.0.1", port=port, threads=32, _quiet=True)


def ask(stream, body):
    """One request over an open connection: the status and the body."""
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    stream.sendall(head.encode() + body)
    text = b""
    while b"\r\n\r\n" not in text:
        text += more(stream)
    head, rest = text.split(b"\r\n\r\n", 1)
    length = next(int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length"))
    while len(rest) < length:
        rest += more(stream)
    return int(head.split()[1]), rest


def more(stream):
    piece = stream.recv(65536)
    if not piece:
        raise ConnectionError("cut short")
    return piece


def client(port, jobs, threads, out):
    """Threads of one process, each with a connection; the times of their requests, and how many were lost or wrong."""
    times, bad = [], [0, 0]

    def work(mine):
        stream = socket.create_connection(("127.0.0.1", port))
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for body, wanted in mine:
            begin = time.perf_counter()
            try:
                status, text = ask(stream, body)
            except OSError:
                bad[0] += 1
                stream = socket.create_connection(("127.0.0.1", port))
                continue
            times.append(time.perf_counter() - begin)
            said = json.loads(text)["rows"][0]["output"] if status == 200 else None
            bad[0] += status != 200
            bad[1] += said is not None and abs(said - wanted) > 1e-4 * max(1, abs(wanted))

    all = [threading.Thread(target=work, args=(jobs[i::threads],)) for i in range(threads)]
    [t.start() for t in all]
    [t.join() for t in all]
    out.put((times, *bad))


def load(port, jobs, clients):
    processes = min(4, clients)
    out = multiprocessing.Queue()
    begin = time.perf_counter()
    all = [
        multiprocessing.Process(target=client, args=(port, jobs[i::processes], clients // processes, out))
        for i in range(processes)
    ]
    [p.start() for p in all]
    results = [out.get() for _ in all]
    [p.join() for p in all]
    seconds = time.perf_counter() - begin
    times = sorted(t for r in results for t in r[0])
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))] * 1000 if times else float("nan")
    return {
        "requests": len(jobs),
        "lost": sum(r[1] for r in results),
        "wrong": sum(r[2] for r in results),
        "per_second": round(len(times) / seconds),
        "p50_ms": round(at(0.5), 2),
        "p99_ms": round(at(0.99), 2),
    }


def wait_for(port):
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
    sys.exit("the server does not come up")


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--nnc", default="target/release/nnc")
    ap.add_argument("--requests", type=int, default=10_000)
    ap.add_argument("--clients", type=int, default=32)
    ap.add_argument("--rounds", type=int, default=3)
    args = ap.parse_args()
    nnc = str(Path(args.nnc).resolve())
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for _ in range(2000):
            x = {name: round(draw.gauss(0, 1), 4) for name in NAMES}
            rows.append({**x, "kind": draw.choice("abc"), "y": round(x["x0"] * x["x1"] + x["x2"], 4)})
        with open(f"{folder}/rows.csv", "w", newline="") as file:
            out = csv.DictWriter(file, rows[0])
            out.writeheader()
            out.writerows(rows)
        Path(f"{folder}/net.nn").write_text(PROGRAM)
        run = lambda *a: subprocess.run([nnc, *a], cwd=folder, check=True, capture_output=True, text=True).stdout
        run("train", "net.nn", "-q", "--out", "run", "--no-report")
        run("export", "onnx", "run", "-o", "net.onnx")
        said = [float(line) for line in run("predict", "run").splitlines()[1:]]
        jobs = []
        for i in range(args.requests):
            row = {k: v for k, v in rows[i % len(rows)].items() if k != "y"}
            jobs.append((json.dumps({"rows": [row]}).encode(), said[i % len(rows)]))

        server = subprocess.Popen(
            [nnc, "serve", "run", "--port", "0", "--threads", "1"], cwd=folder, stdout=subprocess.PIPE, text=True
        )
        own = int(server.stdout.readline().rsplit(":", 1)[1])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        peer = multiprocessing.Process(target=flask_server, args=(f"{folder}/net.onnx", port), daemon=True)
        peer.start()
        wait_for(port)
        for _ in range(args.rounds):
            for name, at in [("nnc serve", own), ("flask + onnxruntime", port)]:
                print(json.dumps({"server": name, **load(at, jobs, args.clients)}), flush=True)
        server.terminate()
        server.wait()
        peer.kill()


if __name__ == "__main__":
    main()
