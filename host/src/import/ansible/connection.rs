//! How Ansible reaches a host.

use super::host::Host;

/// The way.
pub(super) enum Reached {
    /// SSH.
    Ssh,
    /// Not at all: it is this machine.
    Local,
    /// An interface of a device that has SSH too.
    Api(&'static str),
    /// Something that is no terminal.
    Otherwise(&'static str),
}

/// The way to this host.
pub(super) fn reached(host: &Host<'_>) -> Reached {
    let connection = host.word("ansible_connection").unwrap_or_default();
    let is_network = host.variables.contains_key("ansible_network_os");
    match connection.rsplit('.').next().unwrap_or_default() {
        // Network modules of old ran here and went to the device by themselves.
        "local" if is_network => Reached::Ssh,
        "local" => Reached::Local,
        "netconf" => Reached::Api("NETCONF"),
        "httpapi" => Reached::Api("its HTTP interface"),
        "grpc" | "gnmi" => Reached::Api("gRPC"),
        "winrm" | "psrp" => Reached::Otherwise("WinRM"),
        "docker" | "docker_api" | "podman" | "buildah" | "lxc" | "lxd" | "incus" => Reached::Otherwise("a container's engine"),
        "kubectl" | "oc" => Reached::Otherwise("Kubernetes"),
        "aws_ssm" => Reached::Otherwise("AWS SSM"),
        "chroot" | "jail" | "zone" | "libvirt_qemu" | "qemu" | "vmware_tools" | "proxmox_pct_remote" => Reached::Otherwise("its own host"),
        _ => Reached::Ssh,
    }
}
