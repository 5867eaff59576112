//! Calls into a plugin: an instance is taken out and given back; faults are counted, and too many switch the plugin off.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::{Plugin, contract_error};
use crate::limits::{PLUGIN_INSPECT_MAX, PLUGIN_START_MAX};
use crate::plugin::breaker::Gate;
use crate::plugin::engine::ClockGuard;
use crate::plugin::fault::{Fault, FaultKind, LoadError, kind_of};
use crate::plugin::instance::{Guest, Instance, StartError};
use crate::plugin::promptly::Waits;

/// An instance taken out for one call.
pub struct Call {
    /// The instance.
    pub instance: Box<Instance>,
    _clock: ClockGuard,
    limit: Duration,
    /// It tries whether the plugin works again.
    trial: bool,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Plugin {
    /// Faults so far, and for how long it is off.
    #[must_use]
    pub fn health(&self) -> (u64, Option<Duration>) {
        let breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        (breaker.total(), breaker.off_for(Instant::now()))
    }

    /// The sentence of its last fault.
    #[must_use]
    pub fn last_fault(&self) -> Option<String> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).last().map(str::to_owned)
    }

    /// An instance of its own that no session shares, to try the plugin with.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub async fn trial(&self) -> Result<Call, Fault> {
        let clock = self.engine.clock();
        let instance = self.start("setup.configure").await?;
        Ok(Call { instance, _clock: clock, limit: PLUGIN_START_MAX, trial: false })
    }

    /// Calls into it so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The goals of its dialogs. It is asked once: they are the same as long as it is loaded.
    ///
    /// # Errors
    ///
    /// When the call failed; the next one is made again.
    pub async fn goals(&self) -> Result<&[String], Fault> {
        let ask = || async { call_plugin!(self, "dialog.goals", PLUGIN_INSPECT_MAX, dialog, |dialog, store| dialog.call_goals(store)) };
        self.goals.get_or_try_init(ask).await.map(Vec::as_slice)
    }

    /// A first instance: proves the types of every role and the settings.
    pub(super) async fn probation(&self, name: &str) -> Result<(), LoadError> {
        let _clock = self.engine.clock();
        match Instance::start(&self.pre, &self.indices, self.guest(), &self.settings, PLUGIN_START_MAX).await {
            Ok(instance) => {
                // There is room: it is the first.
                let _ = self.idle.push(Box::new(instance));
                Ok(())
            }
            Err(StartError::Config(diagnostics)) => Err(LoadError::Config { name: name.to_owned(), diagnostics }),
            Err(StartError::Wasm(error, refused, printed)) if error.is::<wasmtime::Trap>() || error.is::<Waits>() || refused.is_some() => {
                let fault = self.fault("setup.configure", kind_of(&error, PLUGIN_START_MAX, refused));
                Err(LoadError::Probation { name: name.to_owned(), fault: Box::new(Fault { printed: printed.into(), ..fault }) })
            }
            Err(StartError::Wasm(error, ..)) => Err(contract_error(name, &error)),
        }
    }

    /// Takes an instance for a call that may last `limit`.
    ///
    /// # Errors
    ///
    /// When the plugin is off, or a new instance does not start.
    pub async fn begin(&self, function: &'static str, limit: Duration) -> Result<Call, Fault> {
        let trial = match self.gate() {
            Gate::Open => false,
            Gate::Trial => {
                crate::diagnostics::plugin_line(self.name(), "warn", "it was off long enough and is tried again");
                true
            }
            Gate::Off(left) => return Err(self.fault(function, FaultKind::Off(left, self.last_fault().unwrap_or_default().into()))),
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        let clock = self.engine.clock();
        let mut instance = match self.idle.pop() {
            Some(instance) => instance,
            // It is rare, and every call would take as much room.
            None => Box::pin(self.start(function)).await?,
        };
        instance.arm(limit);
        Ok(Call { instance, _clock: clock, limit, trial })
    }

    fn gate(&self) -> Gate {
        if !self.troubled.load(Ordering::Relaxed) {
            return Gate::Open;
        }
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).gate(Instant::now())
    }

    fn guest(&self) -> Guest {
        Guest::new(Arc::clone(&self.lines), self.max_parts)
    }

    async fn start(&self, function: &'static str) -> Result<Box<Instance>, Fault> {
        let started = Instance::start(&self.pre, &self.indices, self.guest(), &self.settings, PLUGIN_START_MAX);
        started.await.map(Box::new).map_err(|error| {
            let (kind, printed) = match error {
                StartError::Wasm(error, refused, printed) => (kind_of(&error, PLUGIN_START_MAX, refused), printed),
                StartError::Config(_) => (FaultKind::Contract("it refused settings that it had accepted".to_owned()), String::new()),
            };
            self.count(Fault { printed: printed.into(), ..self.fault(function, kind) })
        })
    }

    /// Takes the call's result and the instance back. An instance that failed is dropped with its store.
    ///
    /// # Errors
    ///
    /// When the call failed.
    pub fn finish<T>(&self, function: &'static str, call: Call, result: wasmtime::Result<T>) -> Result<T, Fault> {
        match result {
            Ok(value) => {
                if call.trial {
                    self.breaker.lock().unwrap_or_else(PoisonError::into_inner).on_trial_passed(Instant::now());
                    crate::diagnostics::plugin_line(self.name(), "warn", "it works again");
                }
                if self.is_shared {
                    // A full pool lets the surplus go.
                    let _ = self.idle.push(call.instance);
                }
                Ok(value)
            }
            Err(error) => {
                let kind = kind_of(&error, call.limit, call.instance.refused());
                Err(self.count(Fault { printed: call.instance.printed().into(), ..self.fault(function, kind) }))
            }
        }
    }

    /// A plugin that answered against the contract: counted like a trap.
    #[must_use]
    pub fn broke_contract(&self, function: &'static str, what: String) -> Fault {
        self.count(self.fault(function, FaultKind::Contract(what)))
    }

    fn count(&self, fault: Fault) -> Fault {
        let off = self.breaker.lock().unwrap_or_else(PoisonError::into_inner).on_fault(Instant::now(), &fault.in_short());
        self.troubled.store(true, Ordering::Relaxed);
        crate::diagnostics::plugin_line(self.name(), "error", &fault.in_full());
        if let Some(off) = off {
            let text = format!("it is switched off for {} s after repeated faults", off.as_secs());
            crate::diagnostics::plugin_line(self.name(), "error", &text);
        }
        fault
    }

    fn fault(&self, function: &'static str, kind: FaultKind) -> Fault {
        Fault { plugin: self.manifest.name.clone(), version: self.manifest.version.clone(), function, kind, printed: Box::default() }
    }
}

/// Calls a role's function; a call that failed is made once more in a new instance.
macro_rules! call_plugin {
    ($plugin:expr, $name:literal, $limit:expr, $role:ident, |$guest:ident, $store:ident| $call:expr) => {{
        let plugin: &$crate::plugin::load::Plugin = $plugin;
        let mut first = None;
        loop {
            let mut call = match plugin.begin($name, $limit).await {
                Ok(call) => call,
                // That it is off now says less than why.
                Err(fault) => break Err(first.unwrap_or(fault)),
            };
            let yielded = call.instance.yielded();
            let $crate::plugin::instance::Instance { store, roles } = &mut *call.instance;
            let Some($guest) = &roles.$role else {
                break Err(plugin.broke_contract($name, "it has not this role".to_owned()));
            };
            let $store = store;
            let result = $crate::plugin::promptly::promptly(yielded, std::pin::pin!($call)).await;
            match plugin.finish($name, call, result) {
                Err(fault) if first.is_none() => first = Some(fault),
                done => break done,
            }
        }
    }};
}
pub(crate) use call_plugin;
