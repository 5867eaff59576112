"""Prints the outputs of real devices that two packages hold, as JSON: lists of platform, command and text."""

import json
import pathlib
import subprocess
import sys
import tarfile

import fakenos
import yaml


def of_archive(folder):
    """The raw captures of the templates' own tests, which one release's source archive holds."""
    package = "ntc-templates==1.4.0"
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", "ntc-templates"]
    subprocess.run([sys.executable, "-m", "pip", "download", *quiet, "--dest", folder, package], check=True)
    (archive,) = pathlib.Path(folder).glob("ntc*templates-1.4.0.tar.gz")
    with tarfile.open(archive) as files:
        for member in files:
            path = pathlib.PurePosixPath(member.name)
            if path.suffix == ".raw" and path.parts[1] == "tests":
                text = files.extractfile(member).read().decode("utf-8", "replace")
                yield path.parts[2], path.parts[3].replace("_", " "), text


def of_simulator():
    """The answers of the simulator, most of which are later captures of the same kind."""
    folder = pathlib.Path(fakenos.__file__).parent / "plugins/nos/platforms_yaml"
    for file in sorted(folder.glob("*.yaml")):
        for command, answer in yaml.safe_load(file.read_text())["commands"].items():
            text = answer.get("output") if isinstance(answer, dict) else None
            if isinstance(text, str) and "\n" in text:
                yield file.stem, command, text.replace("{{", "{").replace("}}", "}").replace("{base_prompt}", "box")


seen = set()
captures = []
for platform, command, text in [*of_archive(sys.argv[1]), *of_simulator()]:
    if (platform, text) not in seen:
        seen.add((platform, text))
        captures.append([platform, command, text])
print(json.dumps(captures))
