//! What calls cost: time, and instructions in an engine that counts them.

use std::collections::BTreeMap;

use super::Wanted;
use super::calls::{Costs, ask_all};
use super::recordings::Played;
use super::report::Figures;
use super::subject::{Subject, runtime};
use super::views::Views;
use crate::plugin::load::Plugin;

/// Views for a measurement that no check needs.
const VIEWS: u32 = 2_000;

/// Half, 99 of 100 and the most, for each function.
#[must_use]
pub fn figures(costs: &Costs) -> Vec<Figures> {
    let mut by_function: BTreeMap<&'static str, Vec<u64>> = BTreeMap::new();
    for (function, cost) in costs {
        by_function.entry(function).or_default().push(*cost);
    }
    let of = |(function, mut costs): (&'static str, Vec<u64>)| {
        costs.sort_unstable();
        let at = |percent: usize| costs.get((costs.len() * percent / 100).min(costs.len() - 1)).copied().unwrap_or_default();
        Figures { function, calls: costs.len(), p50: at(50), p99: at(99), max: at(100) }
    };
    by_function.into_iter().map(of).collect()
}

/// Nanoseconds.
///
/// # Errors
///
/// When an instance cannot be had or a call fails.
pub fn times(subject: &Subject, played: &[Played], wanted: &Wanted) -> Result<Vec<Figures>, String> {
    runtime()?.block_on(measured(&subject.loaded, played, wanted)).map(|costs| figures(&costs))
}

/// Instructions.
///
/// # Errors
///
/// When the plugin does not load in an engine that counts, or a call fails.
pub fn fuel(subject: &Subject, played: &[Played], wanted: &Wanted) -> Result<Vec<Figures>, String> {
    let counted = subject.counted()?;
    runtime()?.block_on(measured(&counted, played, wanted)).map(|costs| figures(&costs))
}

async fn measured(plugins: &[std::sync::Arc<Plugin>], played: &[Played], wanted: &Wanted) -> Result<Costs, String> {
    let mut costs = Costs::new();
    for plugin in plugins {
        let mut call = plugin.trial().await.map_err(|fault| fault.to_string())?;
        let mut views = Views::new(plugin, played, wanted.seed);
        for _ in 0..VIEWS / u32::try_from(plugins.len()).unwrap_or(1).max(1) {
            let answers = ask_all(plugin, &mut call, &views.moment(), &mut costs).await?;
            views.learn(&answers);
        }
    }
    Ok(costs)
}
