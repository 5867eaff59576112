//! `jackfield lab`: devices on the loopback interface, with faults on purpose where somebody wants to see what his plugin makes of them.

use std::path::Path;
use std::process::ExitCode;

use super::paint::say_line;
use super::runtime::runtime;
use crate::demo;
use crate::lab::{Description, Faults, Lab, NAMED_FAULTS, Options};
use crate::nearest::nearest;
use crate::plugin::catalog::type_key;

/// Shows what there is.
///
/// # Errors
///
/// When a description of a device is wrong.
pub fn list() -> Result<ExitCode, String> {
    say_line("devices:");
    for device in demo::descriptions()? {
        say_line(&format!("  {:<10} {:<18} {}", device.name(), device.device_type(), device.title()));
    }
    say_line("\nfaults:");
    for (name, what) in NAMED_FAULTS {
        say_line(&format!("  {name:<10} {what}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Plays the lab's devices until it is interrupted.
///
/// # Errors
///
/// When the lab does not start or the configuration cannot be written.
pub fn run(write: Option<&Path>, devices: &[String], faults: &[String], hostile: bool) -> Result<ExitCode, String> {
    let options = Options { faults: wanted_faults(faults, hostile)?, ..Options::default() };
    let descriptions = chosen(demo::descriptions()?, devices)?;
    // Nothing is played for a file that is somebody else's.
    let kept = write.map(demo::kept).transpose()?.unwrap_or_default();
    let runtime = runtime()?;
    let _guard = runtime.enter();
    let lab = Lab::start(descriptions, options).map_err(|error| error.to_string())?;
    for device in lab.devices() {
        say_line(&format!(
            "{:<10} ssh -p {} {}@127.0.0.1   {}   password {}",
            device.name,
            lab.port(),
            device.user,
            device.title,
            device.password
        ));
    }
    match write {
        Some(path) => {
            demo::write_config(&lab, path)?;
            let kept = if kept.is_empty() { "" } else { ", and left in it what is not of the lab" };
            say_line(&format!("\nwrote {0}{kept}; use it with: jackfield mcp --config {0}", path.display()));
        }
        None => say_line(&format!("\nhost key for known_hosts:\n{}", lab.host_key_line())),
    }
    say_line("press Ctrl-C to end the lab");
    runtime.block_on(async { tokio::signal::ctrl_c().await }).map_err(|error| error.to_string())?;
    runtime.block_on(lab.shutdown());
    Ok(ExitCode::SUCCESS)
}

/// The faults of all devices, where any were asked for.
fn wanted_faults(names: &[String], hostile: bool) -> Result<Option<Faults>, String> {
    if hostile {
        return Ok(Some(Faults::hostile()));
    }
    let add = |faults: Option<Faults>, name: &String| {
        let known = NAMED_FAULTS.map(|(name, _)| name);
        let added = faults.unwrap_or_default().with(name);
        added.map(Some).ok_or_else(|| format!("there is no fault `{name}`{}", choices(name, &known)))
    };
    names.iter().try_fold(None, add)
}

/// A device of somebody's own, named by its file unless it names itself.
fn described(file: &Path) -> Result<Description, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Description::parse(&name, &text).map_err(|error| error.to_string())
}

/// The devices by name or type, or by file; all where none was named. `eos` is enough for `eos1` and for `arista_eos`.
fn chosen(all: Vec<Description>, wanted: &[String]) -> Result<Vec<Description>, String> {
    if wanted.is_empty() {
        return Ok(all);
    }
    let (files, wanted): (Vec<&String>, Vec<&String>) = wanted.iter().partition(|name| Path::new(name).is_file());
    let own = files.into_iter().map(|file| described(Path::new(file))).collect::<Result<Vec<_>, _>>()?;
    let is = |device: &Description, name: &str| {
        let key = type_key(name);
        let (kind, own) = (type_key(device.device_type()), device.name());
        own == name || own.trim_end_matches(|c: char| c.is_ascii_digit()) == name || kind == key || kind.ends_with(&format!("_{key}"))
    };
    if let Some(name) = wanted.iter().find(|name| !all.iter().any(|device| is(device, name))) {
        if is_path(name) {
            return Err(format!("there is no file `{name}`; `jackfield lab --list` shows the devices that need none"));
        }
        let known: Vec<&str> = all.iter().map(Description::name).collect();
        return Err(format!("the lab has no device `{name}`{}", choices(name, &known)));
    }
    Ok(all.into_iter().filter(|device| wanted.iter().any(|name| is(device, name))).chain(own).collect())
}

/// Is that meant to be a file? No device is named like one.
fn is_path(name: &str) -> bool {
    name.contains('/') || Path::new(name).extension().is_some()
}

fn choices(name: &str, known: &[&str]) -> String {
    let hint = nearest(name, known.iter().copied()).map_or_else(|| ";".to_owned(), |near| format!("; did you mean `{near}`?"));
    format!("{hint} there are: {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &[&str]) -> Result<Vec<String>, String> {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        chosen(demo::descriptions()?, &wanted).map(|devices| devices.iter().map(|device| device.name().to_owned()).collect())
    }

    #[test]
    fn a_device_is_named_by_name_or_type() {
        assert_eq!(names(&["eos"]).unwrap(), ["eos1"]);
        assert_eq!(names(&["cisco-asa", "junos1"]).unwrap(), ["asa1", "junos1"]);
        assert!(names(&[]).unwrap().len() >= 10);
        let why = names(&["junos2"]).unwrap_err();
        assert!(why.contains("no device `junos2`; did you mean `junos1`? there are: "), "{why}");
        assert!(names(&["printer"]).unwrap_err().contains("no device `printer`; there are: "));
        assert!(names(&["box.toml"]).unwrap_err().starts_with("there is no file `box.toml`;"));
    }

    #[test]
    fn faults_are_named_and_added() {
        let faults = |names: &[&str]| wanted_faults(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), false);
        assert_eq!(faults(&[]).unwrap(), None);
        let both = faults(&["bytes", "syslog"]).unwrap().unwrap();
        assert!(both.chunk_bytes == 1 && both.syslog_lines > 0);
        assert!(faults(&["sloww"]).unwrap_err().contains("did you mean `slow`?"));
        assert_eq!(wanted_faults(&[], true).unwrap(), Some(Faults::hostile()));
    }
}
