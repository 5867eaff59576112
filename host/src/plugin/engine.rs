//! The WebAssembly engine, its settings, and the clock that ends calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::component::Linker;
use wasmtime::{Config, Engine as WasmEngine, OptLevel};

use super::bindings::jackfield::plugin::host as host_interface;
use super::instance::Guest;
use crate::limits::{PLUGIN_FIBER_STACK_BYTES, PLUGIN_STACK_BYTES, PLUGIN_TICK, PLUGIN_TICKER_LINGER, PLUGIN_TICKER_NAP, WAKEFUL};

/// One for the process: compiles components and runs their calls.
#[derive(Clone)]
pub struct Engine {
    wasm: WasmEngine,
    linker: Arc<Linker<Guest>>,
    ticker: Arc<Ticker>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts the engine and its clock's thread.
    ///
    /// # Errors
    ///
    /// When this machine cannot run it (no executable memory, say).
    pub fn start() -> wasmtime::Result<Self> {
        Self::with(&config())
    }

    /// Starts an engine that counts instructions, for measurements: it is slower.
    ///
    /// # Errors
    ///
    /// When this machine cannot run it.
    pub fn counting() -> wasmtime::Result<Self> {
        Self::with(config().consume_fuel(true))
    }

    fn with(config: &Config) -> wasmtime::Result<Self> {
        let wasm = WasmEngine::new(config)?;
        let mut linker = Linker::new(&wasm);
        // The async bindings: the sync ones block on a runtime inside a call and panic on its workers.
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        host_interface::add_to_linker::<_, wasmtime::component::HasSelf<_>>(&mut linker, |guest: &mut Guest| guest)?;
        let ticker = Ticker::start(&wasm)?;
        Ok(Self { wasm, linker: Arc::new(linker), ticker })
    }

    /// The engine itself.
    #[must_use]
    pub fn wasm(&self) -> &WasmEngine {
        &self.wasm
    }

    /// What imports are linked to.
    #[must_use]
    pub fn linker(&self) -> &Linker<Guest> {
        &self.linker
    }

    /// While the guard lives, deadlines run.
    #[must_use]
    pub fn clock(&self) -> ClockGuard {
        self.ticker.begun.fetch_add(1, Ordering::Relaxed);
        // In one order with the clock's look: a weaker one lets each of the two miss what the other has just written.
        self.ticker.in_flight.fetch_add(1, Ordering::SeqCst);
        if self.ticker.asleep.swap(false, Ordering::SeqCst) {
            self.ticker.thread.unpark();
        }
        ClockGuard { ticker: Arc::clone(&self.ticker) }
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(PLUGIN_STACK_BYTES)
        .async_stack_size(PLUGIN_FIBER_STACK_BYTES)
        // Off, a call needs no task of its own; async exports are refused at compile time, as the contract has none.
        .concurrency_support(false)
        .wasm_relaxed_simd(false);
    config
}

/// A deadline in ticks of the clock.
#[must_use]
pub fn ticks(limit: Duration) -> u64 {
    let ticks = limit.as_nanos().div_ceil(PLUGIN_TICK.as_nanos());
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

/// Advances the epoch while calls run. A thread of its own: a task could be starved by the very call it has to stop.
struct Ticker {
    in_flight: AtomicUsize,
    /// Calls so far: most are over before the clock looks.
    begun: AtomicUsize,
    asleep: AtomicBool,
    thread: Thread,
}

impl Ticker {
    fn start(engine: &WasmEngine) -> wasmtime::Result<Arc<Self>> {
        let (send, receive) = std::sync::mpsc::sync_channel::<std::sync::Weak<Self>>(1);
        let engine = engine.weak();
        let handle = thread::Builder::new().name("plugin-clock".to_owned()).spawn(move || {
            let Ok(ticker) = receive.recv() else { return };
            tick(&ticker, &engine);
        })?;
        let ticker = Arc::new(Self {
            in_flight: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            asleep: AtomicBool::new(false),
            thread: handle.thread().clone(),
        });
        // The thread waits for it, so there is room.
        let _ = send.send(Arc::downgrade(&ticker));
        Ok(ticker)
    }
}

fn tick(ticker: &std::sync::Weak<Ticker>, engine: &wasmtime::EngineWeak) {
    let (mut idle, mut seen) = (Duration::ZERO, 0);
    loop {
        let pause = match idle {
            idle if idle <= PLUGIN_TICKER_LINGER => PLUGIN_TICK,
            idle if idle <= WAKEFUL => PLUGIN_TICKER_NAP,
            // Whoever begins a call wakes it; now and then it looks whether the engine is still there.
            _ => Duration::from_secs(5),
        };
        thread::park_timeout(pause);
        let (Some(ticker), Some(engine)) = (ticker.upgrade(), engine.upgrade()) else { return };
        engine.increment_epoch();
        let begun = ticker.begun.load(Ordering::Relaxed);
        let is_idle = ticker.in_flight.load(Ordering::Acquire) == 0 && begun == seen;
        idle = if is_idle { idle + pause } else { Duration::ZERO };
        seen = begun;
        if idle > WAKEFUL {
            ticker.asleep.store(true, Ordering::SeqCst);
            // A call that came between the two lines found the clock awake.
            if ticker.in_flight.load(Ordering::SeqCst) > 0 {
                ticker.asleep.store(false, Ordering::Release);
                idle = Duration::ZERO;
            }
        } else {
            ticker.asleep.store(false, Ordering::Release);
        }
    }
}

/// Keeps the clock going.
pub struct ClockGuard {
    ticker: Arc<Ticker>,
}

impl std::fmt::Debug for ClockGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClockGuard").finish_non_exhaustive()
    }
}

impl Drop for ClockGuard {
    fn drop(&mut self) {
        self.ticker.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
