"""An AsyncSSH server for the stories: passwords, keys, two rounds of questions; bash on a terminal and without one.

Started with the file of the keys that may log in. Accounts whose name begins with `stall-` are left waiting at that step.
"""

import asyncio
import fcntl
import os
import pty
import sys
import termios

import asyncssh

WORD = "correct horse 41"
CODE = "314159"


class Server(asyncssh.SSHServer):
    def __init__(self):
        self.round = 0

    def connection_made(self, conn):
        self.conn = conn

    async def begin_auth(self, username):
        self.user = username
        if username == "stall-login":
            await asyncio.Event().wait()
        if username == "stall-channel":
            deaf_to(self.conn, asyncssh.constants.MSG_CHANNEL_OPEN)
        if username == "stall-terminal":
            create = self.conn.create_server_channel

            def created(*arguments):
                channel = create(*arguments)
                deaf_to(channel, asyncssh.constants.MSG_CHANNEL_REQUEST)
                return channel

            self.conn.create_server_channel = created
        return not username.startswith("stall-")

    def password_auth_supported(self):
        return self.user == "bob"

    def validate_password(self, username, password):
        return password == WORD

    def kbdint_auth_supported(self):
        return self.user == "asked"

    def public_key_auth_supported(self):
        return self.user == "bob"

    def get_kbdint_challenge(self, username, lang, submethods):
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username, responses):
        self.round += 1
        if self.round == 1 and responses == [WORD]:
            return "", "Look at your phone.", "", [("Verification code: ", False)]
        return self.round == 2 and responses == [CODE]

    def connection_requested(self, dest_host, dest_port, orig_host, orig_port):
        return True


def deaf_to(where, number):
    """Messages of this number stay without an answer there."""
    where._packet_handlers = {**where._packet_handlers, number: lambda *_: True}


async def pump(process, read):
    while data := await read():
        process.stdout.write(data)
        await process.stdout.drain()


async def terminal(process):
    outer, inner = pty.openpty()
    columns, rows, _, _ = process.term_size
    termios.tcsetwinsize(inner, (rows, columns))
    environment = {**os.environ, "TERM": process.term_type, "HOME": "/", "PS1": "\\u@\\h:\\w\\$ "}
    shell = await asyncio.create_subprocess_exec(
        "bash", "--norc", "-i", stdin=inner, stdout=inner, stderr=inner, env=environment,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(inner)
    loop = asyncio.get_running_loop()

    def read():
        try:
            return os.read(outer, 65536)
        except OSError:
            return b""

    async def typed():
        while data := await process.stdin.read(65536):
            while data:
                data = data[await loop.run_in_executor(None, os.write, outer, data):]

    typing = asyncio.create_task(typed())
    await pump(process, lambda: loop.run_in_executor(None, read))
    typing.cancel()
    process.exit(await shell.wait())


async def program(process):
    started = await asyncio.create_subprocess_exec(
        "bash", "-c", process.command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    await pump(process, lambda: started.stdout.read(65536))
    process.exit(await started.wait())


async def serve(process):
    await (program(process) if process.command else terminal(process))


async def main():
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Server, server_host_keys=[key], authorized_client_keys=sys.argv[1],
        process_factory=serve, encoding=None, line_editor=False, login_timeout=0,
    )
    print(server.sockets[0].getsockname()[1], key.export_public_key().decode().strip(), flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
