//! Runs one stage: `portway-stages <name>`. Without a name it lists `<times> <name>` of each.

use std::process::ExitCode;

use portway_stages::STAGES;

/// The binary's own: what a stage costs includes what it asks of the allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        STAGES.iter().for_each(|stage| println!("{} {}", stage.times, stage.name));
        return ExitCode::SUCCESS;
    };
    let Some(stage) = STAGES.iter().find(|stage| stage.name == name) else {
        eprintln!("there is no stage `{name}`");
        return ExitCode::FAILURE;
    };
    (stage.run)(stage.times);
    ExitCode::SUCCESS
}
