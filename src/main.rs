//! Callboard: one binary.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod cli;
mod commands;
mod config;
mod moving;
mod places;
mod server;
mod tls;

use std::process::ExitCode;

use clap::Parser as _;

/// Ingest allocates small things by the million on one thread and frees them on another, which the
/// system's allocator answers with contention and memory that it keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Two TLS back ends are in the binary; one must be named before any connection is made.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let servers = commands::Servers {
        serve: commands::serve::run,
        demo: commands::demo::run,
        rebuild: commands::rebuild::run,
    };
    commands::run(cli::Cli::parse(), &servers)
}
