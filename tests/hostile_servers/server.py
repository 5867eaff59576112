"""An AsyncSSH server that misbehaves as the name of the account says, and prints its port and host key first."""

import asyncio
import random
import sys

import asyncssh
from asyncssh.constants import *
from asyncssh.packet import Boolean, String, UInt32

MSG_USERAUTH_INFO_REQUEST = 60
# What hostile texts hold: they clear the screen, turn the reading direction, pretend to be rows of their own, and do not end.
TEXT = "\x1b[2J\x1b]0;owned\x07\u202e\r\nall is well " * 8000


class Server(asyncssh.SSHServer):
    # Logins of `deaf` so far.
    deaf = 0

    def connection_made(self, conn):
        self.conn = conn
        self.rounds = 0

    def send(self, number, *parts):
        self.conn.send_packet(number, *parts)

    async def begin_auth(self, username):
        self.user = username
        self.conn.user = username
        if username == "leaves-at-login":
            self.conn.abort()
        if username == "goodbye-at-login":
            self.send(MSG_DISCONNECT, UInt32(2), String(TEXT[:100_000]), String("en"))
            self.conn.abort()
        if username == "banners":
            for _ in range(1500):
                self.conn.send_auth_banner("Authorised use only. " * 1500)
                await quiet(self.conn)
            for _ in range(10_000):
                self.conn.send_auth_banner("x")
                await quiet(self.conn)
        if username == "no-channel":
            def refused(conn, _, __, packet):
                packet.get_string()
                channel = packet.get_uint32()
                conn.send_packet(MSG_CHANNEL_OPEN_FAILURE, UInt32(channel), UInt32(77), String(TEXT[:60_000]), String("en"))
                return True
            answer(self.conn, MSG_CHANNEL_OPEN, refused)
        if username == "deaf":
            Server.deaf += 1
        if username in ("nonsense", "leaves-at-request") or username == "deaf" and Server.deaf == 1:
            create = self.conn.create_server_channel

            def created(*arguments):
                channel = create(*arguments)

                def answered(chan, *_):
                    if username == "nonsense":
                        for _ in range(50):
                            chan.send_packet(MSG_CHANNEL_DATA, String(TEXT[:8_000]))
                    elif username == "leaves-at-request":
                        self.conn.abort()
                    return True

                answer(channel, MSG_CHANNEL_REQUEST, answered)
                return channel

            self.conn.create_server_channel = created
        if username.startswith(("rounds", "prompts", "count", "questions")):
            return True
        return False

    def auth_completed(self):
        if self.user in PROOFS:
            self.conn._all_server_host_keys = PROOFS[self.user]
            self.send(MSG_GLOBAL_REQUEST, String("hostkeys-00@openssh.com"), Boolean(False), *map(String, (KEY.public_data, OTHER.public_data)))

    def kbdint_auth_supported(self):
        return True

    def password_auth_supported(self):
        return False

    def public_key_auth_supported(self):
        return False

    def get_kbdint_challenge(self, username, lang, submethods):
        if username == "count":
            self.send(MSG_USERAUTH_INFO_REQUEST, String(""), String(""), String(""), UInt32(0xFFFFFFFF))
        if username == "prompts":
            return "", "", "", [("Password: ", False)] * 10_000
        if username == "questions":
            return "", TEXT[:80_000], "", [(TEXT[:80_000], True)]
        return "", "", "", []

    def validate_kbdint_response(self, username, responses):
        return "", "", "", []


def answer(where, number, handler):
    """Messages of this number are answered so."""
    where._packet_handlers = {**where._packet_handlers, number: handler}


async def quiet(conn):
    """Waits until most of what was written is gone."""
    await asyncio.sleep(0)
    while conn._transport and conn._transport.get_write_buffer_size() > 1_000_000:
        await asyncio.sleep(0.005)


async def adjusts(conn, chan):
    for number in range(50_000):
        chan.send_packet(MSG_CHANNEL_WINDOW_ADJUST, UInt32(0xFFFFFFFF))
        if number % 500 == 0:
            await quiet(conn)


async def overflow(conn, chan):
    for _ in range(1500):
        chan.send_packet(MSG_CHANNEL_DATA, String(b"x" * 29_999 + b"\n"))
        await quiet(conn)


async def strangers(conn, chan):
    for channel in (7777, 0xFFFFFFFF):
        for number, parts in [
            (MSG_CHANNEL_DATA, [String("x" * 10_000)]),
            (MSG_CHANNEL_EXTENDED_DATA, [UInt32(1), String("x" * 10_000)]),
            (MSG_CHANNEL_WINDOW_ADJUST, [UInt32(1)]),
            (MSG_CHANNEL_SUCCESS, []),
            (MSG_CHANNEL_FAILURE, []),
            (MSG_CHANNEL_EOF, []),
            (MSG_CHANNEL_CLOSE, []),
        ]:
            conn.send_packet(number, UInt32(channel), *parts)


async def confirms(conn, chan):
    conn.send_packet(MSG_CHANNEL_OPEN_CONFIRMATION, UInt32(7777), UInt32(1), UInt32(1), UInt32(1))
    await asyncio.sleep(0.5)


class Tally:
    """Counts what became of the channels that the server opens."""

    def __init__(self):
        self.refused = self.opened = 0

    def process_open_failure(self, *_):
        self.refused += 1

    def process_open_confirmation(self, *_):
        self.opened += 1


async def opens(conn, chan):
    tally = Tally()
    host = [String("127.0.0.1"), UInt32(22), String("127.0.0.1"), UInt32(1)]
    kinds = {"session": [], "direct-tcpip": host, "forwarded-tcpip": host, "x11": host[2:], "auth-agent@openssh.com": [],
             "direct-streamlocal@openssh.com": [String("/run/x"), String(""), UInt32(0)],
             "forwarded-streamlocal@openssh.com": [String("/run/x"), String("")], "tun@openssh.com": [UInt32(1), UInt32(1)],
             "nothing@example.org": []}
    wanted = 0
    for times in range(300):
        for kind, parts in kinds.items():
            conn._channels[50_000 + wanted] = tally
            conn.send_packet(MSG_CHANNEL_OPEN, String(kind), UInt32(50_000 + wanted), UInt32(2**31), UInt32(32768), *parts)
            wanted += 1
        await quiet(conn)
    for _ in range(4000):
        if tally.refused + tally.opened >= wanted:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    return f"{tally.refused} of {wanted} refused, {tally.opened} opened\n"


async def requests(conn, chan):
    answers = []
    for number in (MSG_REQUEST_SUCCESS, MSG_REQUEST_FAILURE):
        answer(conn, number, lambda _, number, *__: answers.append(number) or True)
    for number in range(20_000):
        conn.send_packet(MSG_GLOBAL_REQUEST, String("nothing@example.org"), Boolean(True), String("x" * 100))
        if number % 500 == 0:
            await quiet(conn)
    for _ in range(4000):
        if len(answers) >= 20_000:
            break
        await asyncio.sleep(0.01)
    return f"{answers.count(MSG_REQUEST_SUCCESS)} granted, {answers.count(MSG_REQUEST_FAILURE)} refused\n"


async def unread(conn, chan):
    """Requests whose answers are not read."""
    for number in (MSG_REQUEST_SUCCESS, MSG_REQUEST_FAILURE):
        answer(conn, number, lambda *_: True)
    conn._transport.pause_reading()
    for number in range(100_000):
        conn.send_packet(MSG_GLOBAL_REQUEST, String("x"), Boolean(True))
        if number % 500 == 0:
            await quiet(conn)
            if conn._transport and conn._transport.get_write_buffer_size() > 500_000:
                break
    await asyncio.sleep(0.5)
    conn._transport.resume_reading()


async def rekeys(conn, chan):
    conn._rekey_bytes = 1
    for number in range(30):
        chan.write(b"%d " % number)
        await asyncio.sleep(0.01)


async def ignores(conn, chan):
    for _ in range(1000):
        conn.send_packet(MSG_IGNORE, String("x" * 30_000))
        conn.send_packet(MSG_DEBUG, Boolean(True), String(TEXT[:10_000]), String("en"))
        conn.send_packet(MSG_UNIMPLEMENTED, UInt32(0))
        await quiet(conn)


async def late_banners(conn, chan):
    for _ in range(1000):
        conn.send_packet(MSG_USERAUTH_BANNER, String(TEXT[:10_000]), String("en"))
        await quiet(conn)


async def host_keys(conn, chan):
    blob = String(KEY.public_data)
    conn.send_packet(MSG_GLOBAL_REQUEST, String("hostkeys-00@openssh.com"), Boolean(False), blob * 3000)
    conn.send_packet(MSG_GLOBAL_REQUEST, String("hostkeys-00@openssh.com"), Boolean(False), String("x" * 200_000))


async def after_close(conn, chan):
    chan.write(b"fine\n")
    chan.send_packet(MSG_CHANNEL_REQUEST, String("exit-status"), Boolean(False), UInt32(0))
    chan.send_packet(MSG_CHANNEL_EOF)
    chan.send_packet(MSG_CHANNEL_CLOSE)
    for _ in range(500):
        if chan._send_chan is None:
            break
        chan.send_packet(MSG_CHANNEL_DATA, String("x" * 30_000))
        chan.send_packet(MSG_CHANNEL_EXTENDED_DATA, UInt32(1), String("x" * 30_000))
        chan.send_packet(MSG_CHANNEL_REQUEST, String("exit-status"), Boolean(False), UInt32(9))
        chan.send_packet(MSG_CHANNEL_CLOSE)
    await asyncio.sleep(0.2)


async def goodbye(conn, chan):
    conn.send_packet(MSG_DISCONNECT, UInt32(2), String(TEXT[:100_000]), String("en"))
    await asyncio.sleep(0.2)
    conn.abort()


async def signal(conn, chan):
    chan.send_packet(
        MSG_CHANNEL_REQUEST, String("exit-signal"), Boolean(False), String(TEXT[:20_000]), Boolean(True), String(TEXT[:20_000]), String("en")
    )
    chan.send_packet(MSG_CHANNEL_CLOSE)
    await asyncio.sleep(0.2)


async def garbage(conn, chan):
    """Malformed messages; the account's name ends with the seed."""
    dice = random.Random(int(conn.user.rsplit("-", 1)[1]))
    for _ in range(200):
        number = dice.choice([*range(1, 5), *range(20, 35), *range(50, 67), *range(80, 101), *range(101, 256)])
        if conn._transport:
            conn.send_packet(number, dice.randbytes(dice.choice([0, 1, 3, 4, 5, 8, 9, 40, 2000])))
    await asyncio.sleep(0.2)
    conn.abort()


async def serve(process):
    chan = process.channel
    conn = chan.get_connection()
    name = conn.user.rstrip("0123456789").rstrip("-").replace("-", "_")
    said = await globals()[name](conn, chan) if name in ACTIONS else None
    if chan._send_chan is not None:
        chan.write((said or "fine\n").encode())
        chan.exit(0)


ACTIONS = {
    "adjusts", "overflow", "strangers", "confirms", "opens", "requests", "unread", "rekeys", "ignores", "late_banners", "host_keys", "after_close",
    "goodbye", "signal", "garbage",
}
KEY, OTHER = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
# Accounts where two host keys are announced, and what each of them is proven with.
SIGNER, OTHERS_SIGNER = asyncssh.load_keypairs([KEY, OTHER])
PROOFS = {
    "no-proof": {},
    "wrong-proof": {KEY.public_data: SIGNER, OTHER.public_data: SIGNER},
    "right-proof": {KEY.public_data: SIGNER, OTHER.public_data: OTHERS_SIGNER},
}


async def main():
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Server, server_host_keys=[KEY], process_factory=serve, encoding=None, line_editor=False,
        login_timeout=0,
    )
    print(server.sockets[0].getsockname()[1], KEY.export_public_key().decode().strip(), flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
