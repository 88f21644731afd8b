//! Hears that the program is told to end. In: interrupt, termination, hang-up. Out: one call. A signal that the program was
//! started not to hear, as a job in the background does not hear interrupts and one under `nohup` no hang-up, stays unheard.

/// Calls `end` in a thread of its own at the first of them.
#[cfg(unix)]
pub(super) fn listen(end: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let within = runtime.enter();
    let ignored = ignored();
    let mut heard = Vec::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        if ignored & (1 << (kind.as_raw_value() - 1)) == 0 {
            heard.push(signal(kind)?);
        }
    }
    drop(within);
    let wait = async move {
        let mut waits = tokio::task::JoinSet::new();
        for mut stream in heard {
            waits.spawn(async move { stream.recv().await });
        }
        waits.join_next().await
    };
    let thread = std::thread::Builder::new().name("ended".to_owned());
    thread.spawn(move || {
        if runtime.block_on(wait).is_some() {
            end();
        }
    })?;
    Ok(())
}

/// The signals that the program was started to ignore, a bit each; none where the system does not tell.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Calls `end` in a thread of its own at the first of them.
#[cfg(not(unix))]
pub(super) fn listen(end: impl FnOnce() + Send + 'static) -> Result<(), ctrlc::Error> {
    let mut end = Some(end);
    ctrlc::try_set_handler(move || {
        if let Some(end) = end.take() {
            end();
        }
    })
}
