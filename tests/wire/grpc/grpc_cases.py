"""A gRPC service and its clients, without generated code: messages are bytes.

`serve` prints its port and serves until its input ends; `ask ADDRESS` prints what each case saw, one a line;
`fail ADDRESS HOST` prints how a call ends.
"""

import sys
import threading
import time

import grpc


class Service(grpc.GenericRpcHandler):
    def service(self, call):
        name = call.method.rsplit("/", 1)[-1]
        handlers = {
            "Echo": grpc.unary_unary_rpc_method_handler(self.echo),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Slow": grpc.unary_unary_rpc_method_handler(self.slow),
            "Count": grpc.unary_stream_rpc_method_handler(self.count),
            "Pause": grpc.unary_stream_rpc_method_handler(self.pause),
            "Break": grpc.unary_stream_rpc_method_handler(self.break_off),
            "Sum": grpc.stream_unary_rpc_method_handler(self.sum),
            "Chat": grpc.stream_stream_rpc_method_handler(self.chat),
            "Details": grpc.unary_unary_rpc_method_handler(self.details),
            "Compressed": grpc.unary_unary_rpc_method_handler(self.compressed),
            "Early": grpc.stream_unary_rpc_method_handler(self.early),
        }
        return handlers.get(name)

    def echo(self, request, context):
        told = [m for m in context.invocation_metadata() if m[0].startswith("x-")]
        context.send_initial_metadata([("x-first", "1")] + told)
        context.set_trailing_metadata([("x-last", "2"), ("x-last-bin", b"\x00\xff")])
        return request

    def fail(self, request, context):
        context.set_trailing_metadata([("x-why", "because")])
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not ready: %s, é" % request.decode())

    def details(self, request, context):
        context.set_trailing_metadata([("grpc-status-details-bin", b"\x08\x05\x12\x03abc"), ("x-why", "because")])
        context.abort(grpc.StatusCode.NOT_FOUND, "%25 é " + "x" * 500)

    def compressed(self, request, context):
        context.set_compression(grpc.Compression.Gzip)
        return request * 10

    def slow(self, request, context):
        time.sleep(float(request))
        return b"late"

    def count(self, request, context):
        for number in range(int(request)):
            yield b"%d" % number

    def pause(self, request, context):
        yield b"one"
        time.sleep(float(request))
        yield b"two"

    def break_off(self, request, context):
        yield b"one"
        context.abort(grpc.StatusCode.DATA_LOSS, "lost")

    def sum(self, requests, context):
        return b"%d" % sum(len(request) for request in requests)

    def chat(self, requests, context):
        for request in requests:
            yield request[::-1]

    def early(self, requests, context):
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")


def serve():
    from concurrent import futures

    options = [("grpc.max_metadata_size", 1 << 20), ("grpc.absolute_max_metadata_size", 1 << 20)]
    # Connections end after a second: calls of tests are made before, while and after that.
    options += [("grpc.max_connection_age_ms", 1000), ("grpc.max_connection_age_grace_ms", 30_000)]
    # PINGs without calls are borne.
    options += [("grpc.http2.max_ping_strikes", 0), ("grpc.max_receive_message_length", 6_000_000)]
    server = grpc.server(futures.ThreadPoolExecutor(16), options=options)
    server.add_generic_rpc_handlers([Service()])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(0)


def shown(metadata):
    return sorted((k, v) for k, v in metadata or () if k.startswith("x-") and not k.startswith(("x-forwarded", "x-real")))


def outcome(name, act):
    try:
        seen = act()
    except grpc.RpcError as error:
        seen = "%s %r %s" % (error.code(), error.details(), shown(error.trailing_metadata()))
    print(name, seen, flush=True)


def again(call):
    """What `call` gives, made again (five times at most) where the end of its connection came in between.

    A server that ages its connections closes one whose last call is over for it, though its client still sends or
    has not read the answer. A proxy in between has 500 to say of that, which is UNKNOWN.
    """
    for _ in range(4):
        try:
            return call()
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN):
                raise
    return call()


def ask(address):
    options = [("grpc.default_authority", "grpc.test"), ("grpc.max_receive_message_length", -1)]
    options += [("grpc.max_metadata_size", 1 << 20), ("grpc.absolute_max_metadata_size", 1 << 20)]
    # A PING a second, with and without calls.
    options += [("grpc.keepalive_time_ms", 1000), ("grpc.keepalive_permit_without_calls", 1)]
    options += [("grpc.http2.max_pings_without_data", 0)]
    channel = grpc.insecure_channel(address, options=options)
    grpc.channel_ready_future(channel).result(timeout=10)
    unary = lambda name: channel.unary_unary("/s.S/" + name)

    def echo(body, metadata=()):
        answer, call = unary("Echo").with_call(body, metadata=metadata, timeout=20)
        return len(answer), answer == body, shown(call.initial_metadata()), shown(call.trailing_metadata()), call.code()

    outcome("unary", lambda: echo(b"hello", [("x-a", "b"), ("x-b-bin", b"\x01\x02")]))
    outcome("empty", lambda: echo(b""))
    outcome("large", lambda: echo(b"x" * 3_000_000))
    outcome("error", lambda: unary("Fail")(b"why", timeout=10))
    outcome("details", lambda: unary("Details")(b"", timeout=10))
    outcome("compressed answer", lambda: len(unary("Compressed")(b"x" * 10_000, timeout=10)))
    for kind in [grpc.Compression.Gzip, grpc.Compression.Deflate]:
        outcome("compressed %s" % kind, lambda: len(unary("Compressed")(b"x" * 10_000, timeout=10, compression=kind)))
    outcome("message too large", lambda: again(lambda: unary("Echo")(b"x" * 7_000_000, timeout=20)))
    outcome("large metadata", lambda: echo(b"", [("x-large", "v" * 40_000)]))
    outcome("much metadata", lambda: echo(b"", [("x-%d" % n, "v") for n in range(200)]))
    outcome("binary metadata", lambda: echo(b"", [("x-bin", bytes(range(256)))]))
    outcome("unknown", lambda: unary("Nothing")(b"", timeout=10))
    outcome("deadline", lambda: again(lambda: unary("Slow")(b"5", timeout=0.3)))
    outcome("in time", lambda: unary("Slow")(b"0.1", timeout=5))
    outcome("server stream", lambda: b",".join(channel.unary_stream("/s.S/Count")(b"500", timeout=10))[-15:])
    outcome("silent stream", lambda: list(channel.unary_stream("/s.S/Pause")(b"3", timeout=20)))
    time.sleep(2.5)
    outcome("after silence", lambda: unary("Echo")(b"again", timeout=10))
    outcome("while connections end", lambda: [time.sleep(0.02) or unary("Echo")(b"%d" % n, timeout=10) for n in range(100)][-1])
    outcome("no messages", lambda: list(channel.unary_stream("/s.S/Count")(b"0", timeout=10)))
    outcome("broken stream", lambda: list(channel.unary_stream("/s.S/Break")(b"", timeout=10)))
    outcome("client stream", lambda: channel.stream_unary("/s.S/Sum")((b"x" * n for n in range(500)), timeout=10))
    outcome("large client stream", lambda: channel.stream_unary("/s.S/Sum")((b"x" * 100_000 for n in range(50)), timeout=20))
    early = lambda: channel.stream_unary("/s.S/Early")((b"x" * 10_000 for n in range(100)), timeout=10)
    outcome("early answer", lambda: again(early))

    def chat():
        gate = threading.Semaphore(1)
        def requests():
            for number in range(100):
                gate.acquire()
                yield b"message %d" % number
        answers = []
        for answer in channel.stream_stream("/s.S/Chat")(requests(), timeout=10):
            answers.append(answer)
            gate.release()
        return len(answers), answers[-1]

    outcome("conversation", chat)

    def cancelled():
        call = channel.unary_stream("/s.S/Count")(b"100000000", timeout=10)
        first = next(call)
        call.cancel()
        try:
            for _ in call:
                pass
        except grpc.RpcError as error:
            return first, error.code()

    outcome("cancellation", cancelled)

    def many():
        calls = [unary("Echo").future(b"%d" % n, timeout=20) for n in range(300)]
        return all(call.result() == b"%d" % n for n, call in enumerate(calls))

    outcome("many at once", many)


def fail(address, host):
    channel = grpc.insecure_channel(address, options=[("grpc.default_authority", host)])
    try:
        channel.unary_unary("/s.S/Echo")(b"", timeout=10)
    except grpc.RpcError as error:
        print("%s %r" % (error.code(), error.details()))


{"serve": serve, "ask": ask, "fail": fail}[sys.argv[1]](*sys.argv[2:])
