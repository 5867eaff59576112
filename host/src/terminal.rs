//! What a terminal makes of bytes, one row at a time.
//!
//! [`parser`] finds the control sequences, [`row`] applies those that move within a row, [`sieve`] keeps from a terminal what it
//! should not be given. Nothing here knows a device, waits, or reads a clock. The rendered screen of full-screen programs is in
//! [`screen`](crate::screen).

pub mod parser;
#[cfg(test)]
pub(crate) mod properties;
pub mod row;
pub mod sieve;
pub mod text;
