//! Many things done in several threads, told in their order. In: items, what to do with each. Out: results, in the order of
//! the items, each as soon as those before it are told. What is done does not depend on the number of threads.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Does `of` with each item in up to `threads` threads named after `name`; `tell` gets the results in the order of the items,
/// and nothing is begun any more once it gives an error.
///
/// # Errors
/// The first one of `tell`, or where a thread cannot be made.
pub fn each<T: Sync, R: Send, E: From<io::Error>>(
    name: &str,
    threads: usize,
    items: &[T],
    of: impl Fn(&T) -> R + Sync,
    mut tell: impl FnMut(&T, R) -> Result<(), E>,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for number in 1..=threads.clamp(1, items.len().max(1)) {
            let (sender, next, of) = (sender.clone(), &next, &of);
            let work = move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    if sender.send((at, of(item))).is_err() {
                        break;
                    }
                }
            };
            std::thread::Builder::new().name(format!("{name}-{number}")).spawn_scoped(scope, work)?;
        }
        drop(sender);
        let mut waiting: Vec<Option<R>> = items.iter().map(|_| None).collect();
        let mut told = 0;
        for (at, result) in receiver {
            waiting[at] = Some(result);
            while let Some(result) = waiting.get_mut(told).and_then(Option::take) {
                tell(&items[told], result)?;
                told += 1;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_on_any_number_of_threads() {
        let items: Vec<u64> = (0..50).collect();
        for threads in [0, 1, 3, 99] {
            let mut told = Vec::new();
            let of = |item: &u64| (0..(item * 37) % 11 * 1000).sum::<u64>() + item;
            let result = each("test", threads, &items, of, |item, result| {
                told.push((*item, result));
                Ok::<(), io::Error>(())
            });
            assert!(result.is_ok());
            assert_eq!(told, items.iter().map(|item| (*item, of(item))).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn an_error_ends_it() {
        let items: Vec<u64> = (0..50).collect();
        let mut told = 0;
        let result = each(
            "test",
            2,
            &items,
            |item| *item,
            |item, _| {
                told += 1;
                if *item == 3 { Err(io::Error::other("enough")) } else { Ok(()) }
            },
        );
        assert!(result.is_err() && told == 4);
    }
}
