# SPDX-License-Identifier: Apache-2.0
"""One of the three processes of run.py. Arguments: FOLDER RANK PORT. Says READY, runs when told to, says DONE."""
import json
import os
import pickle
import resource
import sys
import time

import spu
from spu import libspu


def config(profile: bool):
    c = libspu.RuntimeConfig(libspu.ProtocolKind.ABY3, libspu.FieldType.FM64, 18)
    # What PUMA's own configuration says: exp(x) = (1 + x/2^5)^(2^5).
    c.fxp_exp_mode = libspu.RuntimeConfig.ExpMode.EXP_TAYLOR
    c.fxp_exp_iters = 5
    c.enable_pphlo_profile = profile
    c.experimental_enable_colocated_optimization = True
    return c


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main():
    folder, rank, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with open(f"{folder}/executable", "rb") as f:
        name, inputs, outputs, code = pickle.load(f)
    executable = libspu.Executable(name, inputs, outputs, code)
    links = libspu.link.Desc()
    links.recv_timeout_ms = 3_600_000
    for party in range(3):
        links.add_party(f"party{party}", f"127.0.0.1:{port + party}")
    runtime = spu.Runtime(libspu.link.create_brpc(links, rank), config(True))
    for i, variable in enumerate(inputs):
        path = f"{folder}/{rank}/{i}"
        with open(path, "rb") as f:
            meta, chunks = pickle.load(f)
        os.unlink(path)
        share = libspu.Share()
        share.meta, share.share_chunks = meta, chunks
        runtime.set_var(variable, share)
        del share, chunks
    print("READY", flush=True)
    sys.stdin.readline()
    used, start = cpu(), time.time()
    runtime.run(executable)
    wall = time.time() - start
    row = {
        "wallS": round(wall, 2),
        "cpuS": round(cpu() - used, 2),
        "peakBytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    out = runtime.get_var(outputs[0])
    with open(f"{folder}/{rank}/out", "wb") as f:
        pickle.dump((out.meta, list(out.share_chunks)), f, protocol=4)
    print("DONE", json.dumps(row), flush=True)
    # The links close when all three have finished.
    sys.stdin.readline()
    os._exit(0)


if __name__ == "__main__":
    main()
