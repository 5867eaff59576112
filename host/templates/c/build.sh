# C to a core module; with the contract's types and the manifest it is a component.
set -e
CC=${CC:-".tools/bin/python -m ziglang cc"}
mkdir -p build
# A reactor has functions and no `main`. Zig's stack is 16 MiB unless told otherwise, which is all that a plugin may have.
$CC --target=wasm32-wasi -mexec-model=reactor -Wl,-z,stack-size=65536 -Os -s -Wall -Wextra -Werror -I bindings \
    src/*.c bindings/plugin.c bindings/plugin_component_type.o -o build/core.wasm
jackfield plugin pack build/core.wasm --manifest plugin.toml --out {{file}}.wasm
