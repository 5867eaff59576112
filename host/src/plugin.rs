//! Plugins: WebAssembly components that know how a device talks.
//!
//! [`catalog`] knows which there are, [`load`] takes one from bytes to ready, [`instance`] calls it with a deadline and
//! a memory ceiling, [`answer`] says what it may answer, [`fault`] what went wrong, [`breaker`] switches off what fails again and again.
//! [`device_type`] puts plugins together for a device, [`modes`] knows the ways between its modes, [`session`] asks them for one session.
//! [`declared`] makes a plugin's manifest of a declaration, [`examples`] proves that it fits the declaration's own examples.
//! [`identify`] tells a device's type by what it shows. [`grants`] alone says what a plugin may import, [`signature`] and [`allowed`]
//! whose file it is, [`section`] adds a manifest to one.

pub mod allowed;
pub mod answer;
pub mod bindings;
pub mod blocks;
pub mod breaker;
pub mod catalog;
pub mod compiled;
pub mod declared;
pub mod device_type;
pub mod engine;
pub mod examples;
pub mod failures;
pub mod fault;
pub mod grants;
pub mod identify;
pub mod instance;
pub mod lines;
pub mod load;
pub mod manifest;
pub mod modes;
pub mod no_component;
pub mod placeholders;
pub mod printed;
pub mod promptly;
pub mod roles;
pub mod section;
pub mod session;
pub mod signature;
pub mod sizes;
pub mod triggers;
