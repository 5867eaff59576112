//! Turns `plugin.toml` into the manifest that the component carries.

fn main() {
    jackfield_plugin::build::manifest();
}
