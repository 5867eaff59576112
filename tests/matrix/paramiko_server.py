"""A Paramiko server for the stories: passwords, keys, two rounds of questions; bash on a terminal and without one.

Started with the file of the keys that may log in.
"""

import fcntl
import os
import pty
import socket
import struct
import subprocess
import sys
import termios
import threading

import paramiko

WORD = "correct horse 41"
CODE = "314159"
KEY = paramiko.RSAKey.generate(2048)
ALLOWED = open(sys.argv[1]).read().split()[1]


class Server(paramiko.ServerInterface):
    def __init__(self):
        self.terminal = None
        self.rounds = 0

    def get_allowed_auths(self, username):
        return "publickey,password" if username == "bob" else "keyboard-interactive"

    def check_auth_publickey(self, username, key):
        right = username == "bob" and key.get_base64() == ALLOWED
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def check_auth_password(self, username, password):
        return paramiko.AUTH_SUCCESSFUL if username == "bob" and password == WORD else paramiko.AUTH_FAILED

    def check_auth_interactive(self, username, submethods):
        return paramiko.InteractiveQuery("", "", ("Password: ", False))

    def check_auth_interactive_response(self, responses):
        self.rounds += 1
        if self.rounds == 1 and responses == [WORD]:
            return paramiko.InteractiveQuery("", "Look at your phone.", ("Verification code: ", False))
        return paramiko.AUTH_SUCCESSFUL if self.rounds == 2 and responses == [CODE] else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_pty_request(self, channel, term, width, height, pixelwidth, pixelheight, modes):
        self.terminal = (term.decode(), width, height)
        return True

    def check_channel_shell_request(self, channel):
        threading.Thread(target=shell, args=(channel, *self.terminal), daemon=True).start()
        return True

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=program, args=(channel, command), daemon=True).start()
        return True


def end(channel, status):
    channel.send_exit_status(status)
    channel.close()


def program(channel, command):
    started = subprocess.Popen(["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    while data := os.read(started.stdout.fileno(), 65536):
        channel.sendall(data)
    end(channel, started.wait())


def shell(channel, term, width, height):
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    started = subprocess.Popen(
        ["bash", "--norc", "-i"], stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
        env={**os.environ, "TERM": term, "HOME": "/", "PS1": "\\u@\\h:\\w\\$ "},
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(inner)

    def typed():
        while data := channel.recv(65536):
            while data:
                data = data[os.write(outer, data):]

    threading.Thread(target=typed, daemon=True).start()
    try:
        while data := os.read(outer, 65536):
            channel.sendall(data)
    except OSError:
        pass
    end(channel, started.wait())


def serve(stream):
    transport = paramiko.Transport(stream)
    transport.add_server_key(KEY)
    try:
        transport.start_server(threading.Event(), Server())
    except (paramiko.SSHException, EOFError, OSError):
        pass


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], KEY.get_name(), KEY.get_base64(), flush=True)
while True:
    stream, _ = listener.accept()
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    threading.Thread(target=serve, args=(stream,), daemon=True).start()
