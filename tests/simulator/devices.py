"""Runs devices of the simulator until its input ends; first it prints the servers' host key.

Reads a list of devices from a file: name, port, platform of the simulator, first prompt, lines that lead to other prompts, and lines
whose answers are written beside the file.
"""

import io
import json
import pathlib
import sys

import fakenos
import paramiko
import yaml
from fakenos import FakeNOS
from fakenos.plugins.servers.ssh_server_paramiko import DEFAULT_SSH_KEY

PLATFORMS = pathlib.Path(fakenos.__file__).parent / "plugins/nos/platforms_yaml"


def described(device, folder):
    """The platform with the device's own prompts, in a file, as the simulator takes it."""
    platform = yaml.safe_load((PLATFORMS / f"{device['platform']}.yaml").read_text())
    commands = {line: {"output": answer.get("output")} for line, answer in platform["commands"].items()}
    commands |= {line: {"output": None, "new_prompt": prompt} for line, prompt in device["ways"]}
    file = pathlib.Path(folder) / f"{device['name']}.yaml"
    file.write_text(yaml.safe_dump({"name": device["name"], "initial_prompt": device["prompt"], "commands": commands}))
    return str(file)


def answers(device):
    """What the simulator answers to the lines that are asked for."""
    commands = yaml.safe_load((PLATFORMS / f"{device['platform']}.yaml").read_text())["commands"]
    return [commands[line]["output"].replace("{base_prompt}", device["name"]) for line in device["shows"]]


def main(file):
    devices = json.loads(pathlib.Path(file).read_text())
    folder = pathlib.Path(file).parent
    (folder / "answers.json").write_text(json.dumps({device["name"]: answers(device) for device in devices}))
    hosts = {
        device["name"]: {
            "username": "netops",
            "password": "netops-1",
            "port": device["port"],
            "nos": {"plugin": described(device, folder)},
        }
        for device in devices
    }
    net = FakeNOS(inventory={"hosts": hosts})
    net.start()
    key = paramiko.RSAKey(file_obj=io.StringIO(DEFAULT_SSH_KEY))
    print("ssh-rsa", key.get_base64(), flush=True)
    sys.stdin.read()
    net.stop()


main(sys.argv[1])
