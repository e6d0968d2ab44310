"""gRPC servers whose health is one of each kind. `serve` prints their ports and serves until its input ends."""

import sys
import time
from concurrent import futures

import grpc


def message(status):
    return b"\x08" + bytes([status])


def abort(code):
    def check(request, context):
        context.abort(code, "why")

    return check


def slow(request, context):
    time.sleep(1)
    return message(1)


CASES = [
    lambda request, context: message(1),
    lambda request, context: message(2),
    lambda request, context: message(3),
    lambda request, context: b"",
    None,
    abort(grpc.StatusCode.UNAVAILABLE),
    slow,
]


class Health(grpc.GenericRpcHandler):
    def __init__(self, check):
        self.check = check

    def service(self, details):
        if self.check and details.method == "/grpc.health.v1.Health/Check":
            return grpc.unary_unary_rpc_method_handler(self.check)


servers, ports = [], []
for case in CASES:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([Health(case)])
    ports.append(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    servers.append(server)
print(*ports, flush=True)
sys.stdin.read()
