# SPDX-License-Identifier: Apache-2.0
"""SPU with PUMA's circuits beside Tercet: `python bench/peers/spu/run.py --out bench/results/spu.json`.

Three processes of this machine run one BERT-base encoder in ABY3. Each row has the bytes and the send actions that
SPU itself counts, CPU seconds and peak memory of every party, wall time, and the largest difference to jax in the clear.
"""
import argparse
import json
import os
import pickle
import platform
import re
import resource
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from datetime import date

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy as np
import spu
from spu import libspu
from spu.utils import frontend

from encoder import DIMENSIONS, encode, random_params
from party import config

HERE = os.path.dirname(os.path.abspath(__file__))
LINK = re.compile(r"total send bytes (\d+), recv bytes (\d+), send actions (\d+), recv actions (\d+)")


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def free_ports() -> int:
    """The first of three ports that nothing listens on."""
    for port in range(39100, 39900, 3):
        try:
            for p in range(port, port + 3):
                with socket.socket() as s:
                    s.bind(("127.0.0.1", p))
            return port
        except OSError:
            continue
    raise SystemExit("no three free ports")


def plaintext(function, params, x):
    """The answer, wall and CPU seconds of one run in the clear after one that compiles."""
    compiled = jax.jit(function)
    wanted = np.array(compiled(params, x))
    used, start = cpu(), time.time()
    for _ in range(3):
        np.array(compiled(params, x))
    return wanted, (time.time() - start) / 3, (cpu() - used) / 3


def wait_for(process, word, log):
    for line in process.stdout:
        if line.startswith(word):
            return line[len(word) :].strip()
        log.append(line)
    sys.stderr.write("".join(log[-20:]))
    raise SystemExit("a party ended early; its last lines are above")


def measure(size: str, tokens: int, weights: str):
    d = DIMENSIONS[size]
    params = random_params(d, 1)
    x = np.random.default_rng(7).standard_normal((tokens, d.hidden)).astype(np.float32)
    function = lambda p, y: encode(p, y, d.heads)
    flat, _ = jax.tree_util.tree_flatten((params, x))
    hidden = libspu.Visibility.VIS_SECRET if weights == "secret" else libspu.Visibility.VIS_PUBLIC
    visible = [hidden] * (len(flat) - 1) + [libspu.Visibility.VIS_SECRET]
    names = [f"in{i}" for i in range(len(flat))]
    executable, _ = frontend.compile(
        frontend.Kind.JAX, function, (params, x), {}, names, visible, lambda o: [f"out{i}" for i in range(len(o))]
    )
    wanted, plain_wall, plain_cpu = plaintext(function, params, x)
    io = spu.Io(3, config(False))
    with tempfile.TemporaryDirectory() as folder:
        for rank in range(3):
            os.mkdir(f"{folder}/{rank}")
        for i, value in enumerate(flat):
            for rank, share in enumerate(io.make_shares(np.array(value), visible[i])):
                with open(f"{folder}/{rank}/{i}", "wb") as f:
                    pickle.dump((share.meta, list(share.share_chunks)), f, protocol=4)
        with open(f"{folder}/executable", "wb") as f:
            parts = (list(executable.input_names), list(executable.output_names), bytes(executable.code))
            pickle.dump((executable.name, *parts), f)
        port = free_ports()
        parties = [
            subprocess.Popen(
                [sys.executable, f"{HERE}/party.py", folder, str(rank), str(port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for rank in range(3)
        ]
        try:
            logs = [[], [], []]
            for party, log in zip(parties, logs):
                wait_for(party, "READY", log)
            start = time.time()
            for party in parties:
                party.stdin.write("go\n")
                party.stdin.flush()
            rows = [json.loads(wait_for(party, "DONE", log)) for party, log in zip(parties, logs)]
            wall = time.time() - start
            shares = []
            for rank in range(3):
                with open(f"{folder}/{rank}/out", "rb") as f:
                    meta, chunks = pickle.load(f)
                share = libspu.Share()
                share.meta, share.share_chunks = meta, chunks
                shares.append(share)
            for party in parties:
                party.stdin.write("bye\n")
                party.stdin.flush()
            for party in parties:
                party.wait()
        finally:
            for party in parties:
                party.kill()
    links = [LINK.search("".join(log)) for log in logs]
    if any(link is None for link in links):
        raise SystemExit("SPU printed no link statistics: another version?")
    got = np.array(io.reconstruct(shares))
    error = float(np.abs(got - wanted).max())
    if not error < 0.05:
        raise SystemExit(f"the result is wrong: off by {error}")
    return {
        "suite": "spu",
        "name": f"bert-{size}/{tokens}/{weights}",
        "tokens": tokens,
        "weights": weights,
        "sentBytes": [int(link[1]) for link in links],
        "sendActions": [int(link[3]) for link in links],
        "wallS": round(wall, 2),
        "cpuS": [row["cpuS"] for row in rows],
        "peakBytes": [row["peakBytes"] for row in rows],
        "maxAbsError": round(error, 5),
        "largestOutput": round(float(np.abs(wanted).max()), 3),
        "plaintext": {"by": f"jax {jax.__version__}", "wallS": round(plain_wall, 3), "cpuS": round(plain_cpu, 3)},
    }


def commit() -> str:
    try:
        head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=True)
        return head.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine():
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.processor())
    return {"cpu": model, "cores": os.cpu_count(), "platform": platform.platform(), "python": platform.python_version()}


def keep(asked, rows):
    """Written after every row, so that what ends early has kept what it measured."""
    kept = {
        "suite": "spu",
        "commit": commit(),
        "date": date.today().isoformat(),
        "machine": machine(),
        "command": f"python bench/peers/spu/run.py {shlex.join(sys.argv[1:])}",
        "versions": {"spu": spu.__version__, "jax": jax.__version__},
        **({} if asked.note is None else {"note": asked.note}),
        "rows": rows,
    }
    with open(f"{asked.out}.tmp", "w") as f:
        json.dump(kept, f, indent=2, ensure_ascii=False)
        f.write("\n")
    os.replace(f"{asked.out}.tmp", asked.out)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, nargs="+", default=[16, 128])
    parser.add_argument("--weights", nargs="+", choices=["secret", "public"], default=["secret", "public"])
    parser.add_argument("--size", choices=list(DIMENSIONS), default="base", help="tiny: only to see that it works")
    parser.add_argument("--note", help="kept with the rows: what else the machine did, for example")
    parser.add_argument("--out", help="keep the rows with commit, machine and command")
    asked = parser.parse_args()
    rows = []
    for tokens in asked.tokens:
        for weights in asked.weights:
            rows.append(measure(asked.size, tokens, weights))
            print(json.dumps(rows[-1]), flush=True)
            if asked.out is not None:
                keep(asked, rows)


if __name__ == "__main__":
    main()
