"""A WebSocket server and two independent clients.

`serve` prints its port and serves until its input ends; `ask LIBRARY ADDRESS` prints what each case saw, one a line.
"""

import asyncio
import sys


async def answer(socket):
    async for message in socket:
        if message == "close":
            await socket.close(4001, "as you wish")
        elif message == "vanish":
            socket.transport.abort()
        elif message == "pieces":
            await socket.send(part for part in ["one ", "two ", "three"])
        elif message == "ping":
            await (await socket.ping(b"are you there"))
            await socket.send("answered")
        elif isinstance(message, str) and message.startswith("large "):
            await socket.send(b"x" * int(message.split()[1]))
        elif message == "fields":
            await socket.send("%s %s" % (socket.request.path, socket.request.headers.get("X-Own")))
        else:
            await socket.send(message)


async def serve():
    from websockets.asyncio.server import serve

    async with serve(answer, "127.0.0.1", 0, subprotocols=["chat"], max_size=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def ask_websockets(address):
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    url = "ws://ws.test/path?query=1"
    host, port = address.split(":")
    options = dict(additional_headers={"X-Own": "1"}, subprotocols=["chat"], max_size=None, proxy=None)
    options.update(host=host, port=int(port))
    for compression in ["deflate", None]:
        async with connect(url, compression=compression, **options) as socket:
            print("opened", socket.subprotocol, socket.response.status_code)
            for message in ["text", "\u00e9\U0001f600", b"", b"\x00\xff", "x" * 70000, b"y" * 3_000_000]:
                await socket.send(message)
                print("echo", (await socket.recv()) == message)
            await socket.send(part for part in ["a", "b" * 1000, "c"])
            print("fragments", len(await socket.recv()))
            for message in ["fields", "pieces", "ping", "large 5000000"]:
                await socket.send(message)
                answer = await socket.recv()
                print(message, answer if len(answer) < 100 else len(answer))
            await (await socket.ping(b"z" * 125))
            print("pong")
    for message in ["close", "vanish"]:
        async with connect(url, **options) as socket:
            await socket.send(message)
            try:
                await socket.recv()
            except ConnectionClosed as error:
                print(message, error.rcvd and (error.rcvd.code, error.rcvd.reason))
    async with connect(url, **options) as socket:
        await socket.close(4002, "enough")
        print("closed", socket.close_code, socket.close_reason)


def ask_client(address):
    import websocket

    socket = websocket.create_connection(
        "ws://%s/path?query=1" % address, header=["X-Own: 1"], host="ws.test", subprotocols=["chat"], timeout=20
    )
    print("opened", socket.subprotocol, socket.status)
    for message in ["text", "\u00e9", "x" * 70000]:
        socket.send(message)
        print("echo", socket.recv() == message)
    socket.send_binary(b"y" * 3_000_000)
    print("echo", len(socket.recv()))
    for opcode, text, fin in [(1, "one", 0), (9, "between", 1), (0, "two", 0), (0, "three", 1)]:
        socket.send_frame(websocket.ABNF.create_frame(text, opcode, fin))
    seen = [socket.recv_data_frame(True) for _ in range(2)]
    print("fragments", [(opcode, bytes(frame.data)) for opcode, frame in seen])
    for message in ["fields", "pieces", "ping"]:
        socket.send(message)
        print(message, socket.recv())
    socket.send("close")
    opcode, frame = socket.recv_data_frame(True)
    print("close", opcode, frame.data)
    socket.close()


if sys.argv[1] == "serve":
    asyncio.run(serve())
elif sys.argv[2] == "websockets":
    asyncio.run(ask_websockets(sys.argv[3]))
else:
    ask_client(sys.argv[3])
